"use strict";
(() => {
  const report = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const themes = ["light", "dark"];
  const hasWebgl = (() => {
    try { return Boolean(document.createElement("canvas").getContext("webgl")); } catch { return false; }
  })();

  // Times come once a column, as int64 nanoseconds; Plotly wants text, and reads text as UTC.
  const decodeTimes = (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return Array.from(new BigInt64Array(bytes.buffer), (ns) => {
      const us = (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
      const rest = ((us % 1000n) + 1000n) % 1000n;
      return new Date(Number((us - rest) / 1000n)).toISOString().slice(0, -1) + String(rest).padStart(3, "0");
    });
  };
  const times = report.times.map(() => null);
  const timesOf = (i) => (times[i] ??= decodeTimes(report.times[i]));

  // Figures are drawn in the light colors; every color is one of the palette's texts, so exchanging texts is enough.
  const darkOf = new Map(report.palette.map(([light, dark]) => [light, dark]));
  const themed = (value) => {
    if (typeof value === "string") return root.dataset.theme === "dark" ? darkOf.get(value) ?? value : value;
    if (Array.isArray(value)) return value.map(themed);
    if (value && typeof value === "object") {
      if ("times" in value) return timesOf(value.times);
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === "bdata" ? inner : themed(inner)]));
    }
    return value;
  };
  const usable = (trace) => (trace.type === "scattergl" && !hasWebgl ? { ...trace, type: "scatter" } : trace);

  // Plotly keeps the heights when a reader zooms in time; we fit every panel to what is in view.
  const decoded = new Map();
  const valuesOf = (column) => {
    if (!decoded.has(column)) decoded.set(column, new Float64Array(Uint8Array.from(atob(column.bdata), (c) => c.charCodeAt(0)).buffer));
    return decoded.get(column);
  };
  const fit = (chart) => {
    const [from, to] = chart.layout.xaxis.range.map((time) => String(time).replace(" ", "T"));
    const spans = {};
    report.figures[chart.dataset.figure].data.forEach((trace, i) => {
      if (!trace.x || trace.x.times === undefined || chart.data[i].visible === "legendonly") return;
      const [at, values] = [timesOf(trace.x.times), valuesOf(trace.y)];
      const span = (spans[trace.yaxis ?? "y"] ??= trace.fill ? [0, 0] : [Infinity, -Infinity]);
      for (let k = 0; k < values.length; k++) {
        if (at[k] < from || at[k] > to || Number.isNaN(values[k])) continue;
        span[0] = Math.min(span[0], values[k]);
        span[1] = Math.max(span[1], values[k]);
      }
    });
    const update = {};
    for (const [axis, [low, high]] of Object.entries(spans)) {
      if (low > high) continue;
      const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
      update[`yaxis${axis.slice(1)}.range`] = [low - room, high + room];
    }
    return Plotly.relayout(chart, update);
  };

  const draw = (chart) => {
    const { data, layout } = report.figures[chart.dataset.figure];
    const isRun = chart.dataset.figure.startsWith("run");
    const seen = chart.layout && chart.layout.xaxis ? chart.layout.xaxis.range : null;
    const fresh = themed(layout);
    fresh.autosize = true;
    if (chart.clientWidth < 640) fresh.showlegend = false;
    if (seen && isRun) fresh.xaxis = { ...fresh.xaxis, range: seen, autorange: false };
    const options = {
      responsive: true, displaylogo: false, displayModeBar: isRun ? "hover" : false,
      modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
    };
    const isNew = !chart.layout;
    Plotly.react(chart, themed(data).map(usable), fresh, options).then(() => {
      if (!isRun) return;
      if (isNew) chart.on("plotly_relayout", (change) => {
        const keys = Object.keys(change);
        if (keys.some((key) => key.startsWith("xaxis")) && !keys.some((key) => key.startsWith("yaxis"))) fit(chart);
      });
      fit(chart);
    });
  };
  const charts = (section) => section.querySelectorAll("[data-figure]");
  const sections = [...document.querySelectorAll("section[data-asset]")];
  const tabs = [...document.querySelectorAll("[role=tab]")];

  // Only the shown section holds live charts: browsers allow few WebGL contexts.
  const show = (shown) => {
    sections.forEach((section, i) => {
      section.hidden = i !== shown;
      if (i !== shown) charts(section).forEach((chart) => Plotly.purge(chart));
    });
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === shown));
      tab.tabIndex = i === shown ? 0 : -1;
    });
    if (sections[shown]) charts(sections[shown]).forEach(draw);
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => show(i));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (i + step + tabs.length) % tabs.length;
      show(next);
      tabs[next].focus();
    });
  });

  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const button = document.querySelector(".theme");
  let chosen = null;
  const applyTheme = () => {
    root.dataset.theme = chosen ?? themes[Number(system.matches)];
    button.textContent = root.dataset.theme === "dark" ? "Light colors" : "Dark colors";
    const open = sections.find((section) => !section.hidden);
    if (open) charts(open).forEach(draw);
  };
  button.addEventListener("click", () => { chosen = root.dataset.theme === "dark" ? "light" : "dark"; applyTheme(); });
  system.addEventListener("change", applyTheme);
  button.hidden = false;
  root.dataset.theme = themes[Number(system.matches)];
  show(0);
  applyTheme();
})();
