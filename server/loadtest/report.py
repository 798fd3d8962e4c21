"""What a test found, for people and for machines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from server.loadtest.ledger import Meter
from server.loadtest.plan import Plan
from server.loadtest.probe import Cost

Json = dict[str, Any]
LATE_MS: Final = 5.0
BUSY: Final = 0.9


def spread_ms(times: Sequence[float]) -> Json:
    """Return percentiles in milliseconds; empty if there is nothing to count."""
    if not times:
        return {}
    ordered = sorted(times)
    last = len(ordered) - 1
    marks = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(ordered[round(part * last)] * 1000, 3) for name, part in marks.items()}


@dataclass(frozen=True, slots=True)
class Connected:
    """How joining went: how many, in what time, at what cost to the server."""

    number: int
    seconds: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one test; `busy` is the share of a CPU that the tester itself used."""

    plan: Plan
    meter: Meter
    connected: Connected
    measured_seconds: float
    busy: float
    cost: Cost

    @property
    def passed(self) -> bool:
        """Tell whether the server kept its promises, and had some to keep."""
        return not self.meter.faults.any and self.has_something

    @property
    def has_something(self) -> bool:
        """Tell whether there was anything to check."""
        return self.plan.connect_only or self.meter.acked > 0

    def as_object(self) -> Json:
        """Return everything as plain JSON, without the token."""
        meter, seconds = self.meter, self.measured_seconds
        return {
            "plan": {name: value for name, value in asdict(self.plan).items() if name != "token"},
            "passed": self.passed,
            "connections": self.connected.number,
            "connects_per_s": round(self.connected.number / self.connected.seconds, 1),
            "connect_ms": spread_ms(meter.connect_times),
            "measured_s": round(seconds, 3),
            "messages": meter.acked,
            "messages_per_s": round(meter.acked / seconds, 1),
            "deliveries": meter.delivered,
            "deliveries_per_s": round(meter.delivered / seconds, 1),
            "ack_ms": spread_ms(meter.ack_times),
            "delivery_ms": spread_ms(meter.delivery_times),
            "errors": dict(meter.errors),
            "faults": asdict(meter.faults),
            "server": self._server() if self.plan.pid is not None else {},
            "tester": {"busy": round(self.busy, 3), "late_ms": spread_ms(meter.sent_late)},
        }

    def __str__(self) -> str:
        found, plan = self.as_object(), self.plan
        crowd = f"{_count(plan.rooms, 'room', 'rooms')} of {_count(plan.people, 'person', 'people')}"
        rate = f"{found['connects_per_s']:,.0f} a second"
        lines = [
            f"{crowd}: {found['connections']:,} connected in {self.connected.seconds:.2f} s, {rate}",
            _row("", [*found["connect_ms"]]) + "   ms",
            _row("connect", found["connect_ms"].values()),
        ]
        if not plan.connect_only:
            how = f"{plan.in_flight} in flight in each room" if plan.rate is None else f"{plan.rate:g} messages/s due"
            lines += [
                _row("ack", found["ack_ms"].values()),
                _row("delivery", found["delivery_ms"].values()),
                f"messages    {found['messages']:>10,}   {found['messages_per_s']:>10,.1f} a second, {how}",
                f"deliveries  {found['deliveries']:>10,}   {found['deliveries_per_s']:>10,.1f} a second",
            ]
        if found["server"]:
            told = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in found["server"].items())
            lines.append(f"server      {told}")
        return "\n".join([*lines, *self._verdict(found)])

    def _server(self) -> Json:
        """Return what things cost the server, in microseconds of CPU and in bytes."""
        meter, joining, cpu_us = self.meter, self.connected, self.cost.cpu_seconds * 1e6
        costs = {
            "cpu_us_per_connect": round(joining.cost.cpu_seconds * 1e6 / joining.number, 1),
            "bytes_per_connection": round(joining.cost.memory_bytes / joining.number),
            "busy": round(self.cost.cpu_seconds / self.measured_seconds, 3),
        }
        if meter.acked and meter.delivered:
            costs["cpu_us_per_message"] = round(cpu_us / meter.acked, 1)
            costs["cpu_us_per_delivery"] = round(cpu_us / meter.delivered, 2)
        return costs

    def _verdict(self, found: Json) -> list[str]:
        errors = ", ".join(f"{code} {count:,}" for code, count in found["errors"].items())
        faults = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in found["faults"].items() if count)
        lines = [
            f"errors      {errors or 'none'}",
            f"faults      {faults or 'none: nothing lost, doubled or reordered'}",
        ]
        if not self.has_something:
            lines.append("! no message was acknowledged while measuring: nothing was checked")
        late = found["tester"]["late_ms"].get("p99", 0)
        if late > LATE_MS:
            lines.append(
                f"! the tester sent late itself (p99 {late:g} ms): it is too slow for this rate, or has no CPU"
            )
        elif self.plan.rate is None and self.busy > BUSY:
            lines.append("! the tester used a whole CPU: the rates may be its own, not the server's")
        return lines


def _row(name: str, cells: Any) -> str:
    return f"{name:<12}" + "".join(f"{cell:>10}" if isinstance(cell, str) else f"{cell:>10,.2f}" for cell in cells)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {many if number > 1 else one}"
