"""Files of cyclers, detected and read by their readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.execution.executor import IngestError
from tests.ingest.files import discharge, ingested, normalised

ROWS = [(t, i, v, 1 + (t >= 20) + (t >= 180)) for t, i, v in discharge().iter_rows()]
"""Time [s], current [A], voltage [V] and number of the step."""


def clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}"


def arbin() -> str:
    head = "Data Point,Date Time,Test Time (s),Step Time (s),Cycle Index,Step Index,Current (A),Voltage (V)\n"
    rows = (f"{row},2026-01-01 00:00:00,{t},{t},1,{step},{-i},{v:.6f}" for row, (t, i, v, step) in enumerate(ROWS))
    return head + "\n".join(rows)


def basytec() -> str:
    rows = (f"{clock(t)},{v:.6f},{-i},25.0,{step}" for t, i, v, step in ROWS)
    return "run_time,c_vol,c_cur,c_surf_temp,step\n" + "\n".join(rows)


def biologic() -> str:
    return "time_s,Ecell_V,I_mA\n" + "\n".join(f"{t},{v:.6f},{-1000 * i}" for t, i, v, _ in ROWS)


def digatron() -> str:
    rows = (f"2026-01-01 {clock(t)}+00:00,{v:.6f},{-i},{step}" for t, i, v, step in ROWS)
    return "Timestamp,Voltage#V,Current#A,Step\n" + "\n".join(rows)


def biologic_mpt() -> str:
    head = "EC-Lab ASCII FILE\nNb header lines : 4\n\n"
    rows = (f"{step}\t{t}\t{v:.6f}\t{-1000 * i}" for t, i, v, step in ROWS)
    return head + "Ns\ttime/s\tEwe/V\tI/mA\n" + "\n".join(rows)


def maccor(time: Callable[[float], str] = lambda t: f"0d {clock(t)[:-1]}") -> str:
    head = "Date of Test:\t01/01/2026\tFilename:\tcell\n"
    head += "Rec#\tCyc#\tStep\tTestTime\tStepTime\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tES\tDPt Time\n"
    rows = (
        f"{row}\t1\t{step}\t{time(t)}\t{time(0)}\t0\t0\t{i:.4f}\t{v:.6f}\t{'D' if i else 'R'}\t1\t01/01/2026 00:00:00"
        for row, (t, i, v, step) in enumerate(ROWS)
    )
    return head + "\n".join(rows)


def neware() -> str:
    head = "DataPoint,Cycle Index,Step Index,Step Type,Time,Current(A),Voltage(V),Date\n"
    rows = (
        f"{row},1,{step},{'CC DChg' if i else 'Rest'},{clock(t)},{-i},{v:.6f},2026-01-01 {clock(t)[:8]}"
        for row, (t, i, v, step) in enumerate(ROWS)
    )
    return head + "\n".join(rows)


def novonix() -> str:
    head = "[Summary]\nNovonix Battery Testing\nStarted: 2026-01-01\n[End Summary]\n[Data]\n"
    head += "Date and Time,Cycle Number,Step Type,Run Time (h),Step Time (h),Current (A),Potential (V),"
    head += "Capacity (Ah),Temperature (°C),Step Number\n"
    rows = (
        f"2026-01-01 12:00:00 AM,1,{1 if i else 0},{t / 3600:.8f},0,{-i},{v:.6f},0,25.0,{step}"
        for t, i, v, step in ROWS
    )
    return head + "\n".join(rows)


def repower() -> str:
    head = "Cycle ID,Step ID,Record ID,Step State,Relative Time(Sec),System Time,Voltage(V),Current(A),"
    head += "Capacity(Ah),Energy(Wh),Charge Capacity(Ah),Discharge Capacity(Ah),Charge Energy(Wh),"
    head += "Discharge Energy(Wh)\n"
    rows = (
        f"1,{step},{row},{'CC_DChg' if i else 'Rest'},{t},2026-01-01 {clock(t)[:8]},{v:.6f},{-i},0,0,0,0,0,0"
        for row, (t, i, v, step) in enumerate(ROWS)
    )
    return head + "\n".join(rows)


def bdf() -> str:
    rows = (f"{t},{v:.6f},{-i}" for t, i, v, _ in ROWS)
    return "test_time_second,voltage_volt,current_ampere\n" + "\n".join(rows)


FILES: dict[str, tuple[Callable[[], str], str]] = {
    "arbin": (arbin, "cell.csv"),
    "basytec": (basytec, "cell.csv"),
    "bdf": (bdf, "cell.csv"),
    "biologic csv": (biologic, "cell.csv"),
    "biologic mpt": (biologic_mpt, "cell.mpt"),
    "digatron": (digatron, "cell.csv"),
    "maccor": (maccor, "cell.txt"),
    "neware": (neware, "cell.csv"),
    "novonix": (novonix, "cell.csv"),
    "repower": (repower, "cell.csv"),
}


@pytest.mark.parametrize("reader", FILES)
def test_a_file_is_detected_and_read_by_the_convention(tmp_path: Path, reader: str) -> None:
    content, filename = FILES[reader]
    answer = ingested(content().encode(), tmp_path, filename)
    assert answer["changes"][0].startswith(f"Read by ionworksdata 0.20.2 as `{reader}`:"), answer["changes"]
    found = normalised(answer)
    assert found.height == 200
    assert found["Current [A]"].to_list() == pytest.approx([i for _, i, _, _ in ROWS], abs=1e-6)
    assert found["Voltage [V]"].to_list() == pytest.approx([v for _, _, v, _ in ROWS], abs=1e-5)
    assert found["Time [s]"].to_list() == pytest.approx([t for t, *_ in ROWS], abs=2e-3)
    assert answer["steps"]["Start index"] == [0, 20, 180]


def test_an_impedance_of_gamry_is_read(tmp_path: Path) -> None:
    names = ("", "Pt", "Time", "Freq", "Zreal", "Zimag", "Zsig", "Zmod", "Zphz", "Idc", "Vdc", "IERange")
    units = ("", "#", "s", "Hz", "ohm", "ohm", "V", "ohm", "°", "A", "V", "#")
    rows = [("", k, k, 10.0 ** (3 - k), 0.02 + 0.001 * k, -0.001, 1, 0.02, -3, 0.0, 3.7, 1) for k in range(8)]
    lines = ["EXPLAIN", "TAG\tGALVEIS", "ZCURVE\tTABLE"]
    lines += ["\t".join(map(str, row)) for row in (names, units, *rows)]
    answer = ingested("\n".join(lines).encode(), tmp_path, "cell.DTA")
    assert answer["changes"][0].startswith("Read by ionworksdata 0.20.2 as `gamry`:")
    assert normalised(answer)["Z_Re [Ohm]"].to_list() == pytest.approx([row[4] for row in rows])
    assert normalised(answer)["Frequency [Hz]"].to_list() == pytest.approx([row[3] for row in rows])


def test_times_in_a_form_that_a_reader_takes_for_zero_are_refused(tmp_path: Path) -> None:
    content = maccor(lambda t: f"{t:.1f}").encode()
    with pytest.raises(IngestError, match="finds the same time in most rows"):
        ingested(content, tmp_path, "cell.txt")
