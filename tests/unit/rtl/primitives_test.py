"""The models of the vendor's primitives that kanc simulates with, against those that come with Yosys: equal, by SAT."""
import os
import shutil
import subprocess
import sys
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PRIMITIVES = os.path.join(SOURCE, "firmware", "sim", "primitives")
PARAMETERS = {
    "LUT5": ["INIT 32'h8badf00d", "INIT 32'h00000001"],
    "LUT6": ["INIT 64'hfeedfacecafebeef", "INIT 64'h8000000000000001"],
    "LUT6_2": ["INIT 64'hfeedfacecafebeef", "INIT 64'h0123456789abcdef"],
    "CARRY8": ['CARRY_TYPE "SINGLE_CY8"', 'CARRY_TYPE "DUAL_CY4"'],
    "MUXF7": [""],
    "MUXF8": [""],
}


def prepare(read, module, parameter, name):
    """Commands that leave `module` with its parameter as a flat module `name` in a stash of that name."""
    change = f"chparam -set {parameter} {module}; " if parameter else ""
    return f"{read}; {change}hierarchy -top {module}; rename -top {name}; proc; flatten; opt_clean; design -stash {name}; "


def prove(ours, module, parameter):
    script = prepare(f"read_verilog -sv {ours}", module, parameter, "ours")
    script += prepare("read_verilog +/xilinx/cells_sim.v", module, parameter, "theirs")
    script += "design -copy-from ours -as ours ours; design -copy-from theirs -as theirs theirs; "
    script += "miter -equiv -flatten -make_outputs ours theirs both; hierarchy -top both; sat -verify -prove trigger 0 both"
    return subprocess.run(["yosys", "-q", "-p", script], capture_output=True, text=True)


class Primitives(unittest.TestCase):
    def test_every_primitive_has_its_proof(self):
        names = {name[:-len(".sv")] for name in os.listdir(PRIMITIVES) if name.endswith(".sv")}
        self.assertEqual(names, set(PARAMETERS))

    def test_each_model_is_equal_to_the_one_of_yosys(self):
        for module, parameters in PARAMETERS.items():
            for parameter in parameters:
                with self.subTest(module=module, parameter=parameter):
                    run = prove(os.path.join(PRIMITIVES, module + ".sv"), module, parameter)
                    self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_a_wrong_model_is_found(self):
        with open(os.path.join(PRIMITIVES, "CARRY8.sv"), encoding="utf-8") as file:
            text = file.read()
        wrong = text.replace("sum[8:1] ^ {1'b0, S[7:1]}", "sum[8:1]")
        self.assertNotEqual(wrong, text)
        path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"kantrig-carry8-{os.getpid()}.sv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(wrong)
        try:
            self.assertNotEqual(prove(path, "CARRY8", 'CARRY_TYPE "SINGLE_CY8"').returncode, 0)
        finally:
            os.remove(path)


if __name__ == "__main__":
    if shutil.which("yosys") is None:
        print("skipped: yosys is not installed (deploy/install-deps.sh --hardware)")
        sys.exit(77)
    unittest.main()
