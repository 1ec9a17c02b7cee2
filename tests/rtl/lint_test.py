"""Every hand-written module passes `verilator --lint-only -Wall` and elaborates in yosys by itself, at its default parameters,
and keeps to the layout of CONTRIBUTING.md."""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RTL = ROOT / "firmware" / "rtl"
DESIGN = ROOT / "tests" / "rtl" / "design"
CELLS = ("kan_valid_pipe", "kan_skid", "kan_fifo", "kan_core", "kan_width", "kan_burst")
CELL_LINES = 100
# The protocol checkers are assertions, nothing to synthesise.
MODULES = sorted(path for path in RTL.glob("*.sv") if not path.stem.endswith("_pkg"))
CHECKERS = sorted((RTL / "check").glob("*.sv"))
PACKAGES = [DESIGN / "kan_design_pkg.sv", *sorted(RTL.glob("*_pkg.sv"))]


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def below(module, seen):
    """The files of the modules that `module` instantiates, itself included."""
    known = {path.stem: path for path in [*MODULES, DESIGN / "kan_datapath.sv"]}
    if module in seen or module not in known:
        return
    seen[module] = known[module]
    for name in re.findall(r"^\s*(\w+)\s+(?:#\(|u_\w+\s*\()", known[module].read_text(), re.MULTILINE):
        below(name, seen)


class Lint(unittest.TestCase):
    def test_there_are_modules_to_look_at(self):
        self.assertGreater(len(MODULES), 4)

    def test_each_module_passes_verilator_by_itself(self):
        if not shutil.which("verilator"):
            self.skipTest("verilator is not installed")
        for module in [*MODULES, *CHECKERS]:
            with self.subTest(module=module.stem):
                done = run("verilator", "--lint-only", "-Wall", "--assert", RTL / "lint.vlt", "-y", RTL, "-y", DESIGN,
                           *PACKAGES, module, "--top-module", module.stem)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_each_module_elaborates_in_yosys_by_itself(self):
        if not shutil.which("yosys"):
            self.skipTest("yosys is not installed")
        for module in MODULES:
            with self.subTest(module=module.stem):
                files = {}
                below(module.stem, files)
                read = " ".join(str(path) for path in [*PACKAGES, *files.values()])
                vendor = "read_verilog -lib +/xilinx/cells_sim.v; " if re.search("LUT6|CARRY[48]", module.read_text()) else ""
                done = run("yosys", "-q", "-p", f"{vendor}read_verilog -sv {read}; hierarchy -check -top {module.stem}; "
                                                "proc; opt_expr; check -assert")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_lint_finds_what_is_wrong(self):
        if not shutil.which("verilator"):
            self.skipTest("verilator is not installed")
        done = subprocess.run(["verilator", "--lint-only", "-Wall", "/dev/stdin"], capture_output=True, text=True, check=False,
                              input="module stdin(input logic a_i); endmodule\n")
        self.assertNotEqual(done.returncode, 0)

    def test_a_file_holds_the_module_of_its_name_opens_with_a_comment_and_keeps_to_its_size(self):
        for path in [*MODULES, *CHECKERS]:
            with self.subTest(module=path.stem):
                text = path.read_text()
                self.assertEqual(re.findall(r"^module (\w+)", text, re.MULTILINE), [path.stem])
                self.assertTrue(text.startswith("// "))
                lines = text.splitlines()
                self.assertLessEqual(max(map(len, lines)), 100)
                self.assertLessEqual(len(lines), CELL_LINES if path.stem in CELLS else 400)
                self.assertNotIn("\t", text)
                self.assertRegex(text, r"\bassert\b")


if __name__ == "__main__":
    print(f"modules of {RTL}", file=sys.stderr)
    unittest.main()
