"""Running `qf` as a user does: arguments in, both streams and the exit code out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from queuefront.cli.app import app


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[str]:
        """Lines of stdout with single spaces, without empty ones."""
        return [" ".join(line.split()) for line in self.out.splitlines() if line.strip()]


def qf(*arguments: object) -> Ran:
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


#: Three messages of a USD-M collector: a diff, a trade, a diff that misses updates before it.
LINES = [
    (
        '1723161257030314667 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,"T":1723161256298,'
        '"s":"BTCUSDT","U":10,"u":20,"pu":9,"b":[["61800.10","0.500"],["61800.00","1.000"]],"a":[["61800.30","2.000"]]}}'
    ),
    (
        '1723161257088176367 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256322,"T":1723161256322,'
        '"s":"BTCUSDT","t":5,"p":"61800.30","q":"0.006","X":"MARKET","m":false}}'
    ),
    (
        '1723161257188309867 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256352,"T":1723161256352,'
        '"s":"BTCUSDT","U":31,"u":40,"pu":30,"b":[["61800.10","0.000"]],"a":[]}}'
    ),
]


def raw_feed(folder: Path, *extra_lines: str) -> Path:
    path = folder / "btcusdt_20240808"
    path.write_text("\n".join([*LINES, *extra_lines]) + "\n", encoding="utf-8")
    return path


def market(folder: Path, events: int = 2_000, suffix: str = ".tape") -> Path:
    """Make a small synthetic market."""
    path = folder / f"market{suffix}"
    ran = qf("synth", "-o", path, "--events", events, "--seed", 3)
    assert ran.code == 0, ran.err
    return path
