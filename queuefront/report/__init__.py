"""What a run came to: tables, figures of merit, plots and the HTML report."""

from queuefront.report.explain import Explanation, Outcome, explain_order, trace_frame
from queuefront.report.frames import currency_of, equity_frame, fills_frame, orders_frame, total_equity_frame
from queuefront.report.html import write_report
from queuefront.report.html_parts import CONTENT_POLICY
from queuefront.report.market_data import MarketData, market_data
from queuefront.report.outcomes import OrderOutcomes
from queuefront.report.passport_html import write_passport
from queuefront.report.passport_plots import passport_figure
from queuefront.report.passport_text import Stretch, figures_of, stretches_of, verdict_text
from queuefront.report.plots import inventory_figure, profit_figure, run_figure, stats_figure, total_figure
from queuefront.report.stats import InverseAssetRecord, LinearAssetRecord, Stats
from queuefront.report.summary import AssetSummary, Summary, summarize
from queuefront.report.summary_text import number, render_summary

__all__ = [
    "CONTENT_POLICY",
    "AssetSummary",
    "Explanation",
    "InverseAssetRecord",
    "LinearAssetRecord",
    "MarketData",
    "OrderOutcomes",
    "Outcome",
    "Stats",
    "Stretch",
    "Summary",
    "currency_of",
    "equity_frame",
    "explain_order",
    "figures_of",
    "fills_frame",
    "inventory_figure",
    "market_data",
    "number",
    "orders_frame",
    "passport_figure",
    "profit_figure",
    "render_summary",
    "run_figure",
    "stats_figure",
    "stretches_of",
    "summarize",
    "total_equity_frame",
    "total_figure",
    "trace_frame",
    "verdict_text",
    "write_passport",
    "write_report",
]
