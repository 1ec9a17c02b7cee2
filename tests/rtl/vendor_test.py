"""What can be checked of the vendor's flow without the vendor's tools: the scripts parse and do what they say with every vendor
command recorded instead of run; kernel.xml, the link configurations and the packaged top name the same ports and arguments."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
CARD = ROOT / "firmware" / "card"
RTL = ROOT / "firmware" / "rtl"
KANC = os.environ.get("KANC", "kanc")
SCRIPTS = sorted((CARD / "vivado").glob("*.tcl"))
LINKS = sorted((CARD / "vitis").glob("*.cfg"))

# Runs the script argv[0] with every command that Tcl does not know recorded; prints the calls, tab between words.
RECORDER = r"""
set calls {}
proc unknown {name args} {
  lappend ::calls [linsert $args 0 $name]
  switch -glob -- $name {
    ipx::current_core { return core }
    ipx::get_user_parameters { return {CHAIN OVERLAY} }
    get_property { return [expr {[lindex $args 0] eq "SLACK" ? "0.125" : [lindex $args 1]}] }
    default { return "" }
  }
}
set script [lindex $argv 0]
set argv [lrange $argv 1 end]
source $script
foreach call $calls { puts "CALL\t[join $call \t]" }
"""


def kernel():
    return ElementTree.parse(CARD / "kernel.xml").getroot().find("kernel")


def ports_of(path):
    """(direction, range, name) of a module's ports."""
    text = re.sub(r"//[^\n]*", "", path.read_text())
    start = re.search(r"^(?:\)|module \w+) \($", text, re.MULTILINE).end()
    body = text[start:text.index(");", start)]
    return re.findall(r"(input|output)\s+(?:logic|wire)\s+(\[[^\]]+\])?\s*(\w+)", body)


class Configuration(unittest.TestCase):
    def test_kernel_xml_has_arguments_without_gaps_and_ports_that_the_kernel_has(self):
        arguments = kernel().findall("args/arg")
        self.assertEqual([int(argument.get("id")) for argument in arguments], list(range(len(arguments))))
        ports = {port.get("name"): port for port in kernel().findall("ports/port")}
        names = [name for _, _, name in ports_of(RTL / "kan_kernel.sv")]
        for port in ports:
            self.assertTrue(any(name.startswith(port + "_") for name in names), port)
        for argument in arguments:
            self.assertIn(argument.get("port"), ports)
            end = int(argument.get("offset"), 16) + int(argument.get("size"), 16)
            self.assertLessEqual(end, int(ports["s_axi_control"].get("range"), 16))
        data = dict((name, width) for _, width, name in ports_of(RTL / "kan_kernel.sv"))
        self.assertEqual(data["m_axi_gmem_wdata"], f"[{int(ports['m_axi_gmem'].get('dataWidth')) - 1}:0]")
        self.assertEqual(data["s_axi_control_wdata"], f"[{int(ports['s_axi_control'].get('dataWidth')) - 1}:0]")
        self.assertEqual(1 << (int(re.match(r"\[(\d+)", data["s_axi_control_awaddr"])[1]) + 1),
                         int(ports["s_axi_control"].get("range"), 16))

    def test_the_packaged_top_has_the_ports_of_the_kernel(self):
        self.assertEqual(ports_of(CARD / "vivado" / "kan_kernel_top.v"), ports_of(RTL / "kan_kernel.sv"))

    def test_the_packaged_top_passes_verilator(self):
        if not shutil.which("verilator"):
            self.skipTest("verilator is not installed")
        design = ROOT / "tests" / "rtl" / "design"
        done = subprocess.run(["verilator", "--lint-only", "-Wall", RTL / "lint.vlt", "-y", RTL, "-y", design,
                               design / "kan_design_pkg.sv", RTL / "kan_register_pkg.sv", "--top-module", "kan_kernel_top",
                               "-Wno-SYMRSVDWORD",  # a port called interrupt: the vendor's name
                               CARD / "vivado" / "kan_kernel_top.v"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_link_configurations_name_what_exists(self):
        self.assertEqual([path.stem for path in LINKS], ["u250", "u50", "u55c", "zcu104"])
        known = {argument.get("name") for argument in kernel().findall("args/arg") if argument.get("addressQualifier") == "1"}
        for path in LINKS:
            with self.subTest(configuration=path.name):
                section, seen, units = "", {}, []
                for line in path.read_text().splitlines():
                    line = line.split("#")[0].strip()
                    if not line:
                        continue
                    if line.startswith("["):
                        section = line.strip("[]")
                        continue
                    key, value = line.split("=", 1)
                    seen.setdefault((section, key), []).append(value)
                self.assertTrue(set(seen) <= {("", "platform"), ("", "target"), ("", "kernel_frequency"), ("", "save-temps"),
                                              ("connectivity", "nk"), ("connectivity", "sp"), ("connectivity", "slr")}, seen)
                for value in seen[("connectivity", "nk")]:
                    name, count, instances = value.split(":")
                    self.assertEqual(name, kernel().get("name"))
                    units += instances.split(",")
                    self.assertEqual(len(instances.split(",")), int(count))
                placed = set()
                for value in seen[("connectivity", "sp")]:
                    unit, argument, memory = re.fullmatch(r"(\w+)\.(\w+):((?:HBM|DDR)\[\d+(?::\d+)?\]|HPC?\d)", value).groups()
                    self.assertIn(unit, units)
                    self.assertIn(argument, known)
                    placed.add((unit, argument))
                self.assertEqual(placed, {(unit, argument) for unit in units for argument in known}, "every buffer has a bank")
                for value in seen.get(("connectivity", "slr"), []):
                    self.assertIn(re.fullmatch(r"(\w+):SLR\d", value)[1], units)


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("tclsh"):
            raise unittest.SkipTest("tclsh is not installed")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.compiled = pathlib.Path(folder.name) / "compiled"
        subprocess.run([KANC, "compile", ROOT / "firmware/models/jets/jets-1.1.0", "--device", "generic", "--out", cls.compiled],
                       stdout=subprocess.DEVNULL, check=True)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.design = self.folder / "design"
        shutil.copytree(self.compiled, self.design)

    def record(self, script, *arguments):
        recorder = self.folder / "recorder.tcl"
        recorder.write_text(RECORDER)
        done = subprocess.run(["tclsh", recorder, CARD / "vivado" / script, *map(str, arguments)],
                              capture_output=True, text=True, check=False)
        return done, [line.split("\t")[1:] for line in done.stdout.splitlines() if line.startswith("CALL\t")]

    def test_every_script_is_complete_tcl(self):
        self.assertGreater(len(SCRIPTS), 2)
        for script in SCRIPTS:
            done = subprocess.run(["tclsh"], input=f"set c [open {{{script}}}]; puts [info complete [read $c]]",
                                  capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout.strip(), "1", script)

    def test_synthesis_reads_the_design_and_writes_timing_and_utilisation(self):
        out = self.folder / "out"
        for top, clock in (("kan_datapath", "clk_i"), ("kan_kernel", "ap_clk"), ("kan_stream", "aclk")):
            done, calls = self.record("synthesise.tcl", "--design", self.design, "--out", out, "--top", top)
            self.assertEqual(done.returncode, 0, done.stderr)
            sources = next(call for call in calls if call[0] == "read_verilog")[2].split()
            self.assertTrue(all(os.path.exists(path) for path in sources))
            names = [os.path.basename(path) for path in sources]
            self.assertEqual(len(names), len(set(names)), "a module twice")
            self.assertLess(names.index("kan_design_pkg.sv"), names.index("kan_datapath.sv"))
            self.assertLess(names.index("kan_register_pkg.sv"), names.index("kan_kernel.sv"))
            self.assertIn(f"get_ports {clock}", (out / "clock.xdc").read_text())
            self.assertIn(clock, [name for _, _, name in ports_of(next(p for p in map(pathlib.Path, sources) if p.stem == top))])
            steps = [call[0] for call in calls]
            for before, after in (("read_xdc", "synth_design"), ("synth_design", "place_design"),
                                  ("route_design", "report_timing_summary")):
                self.assertLess(steps.index(before), steps.index(after))
            self.assertIn("worst slack 0.125 ns", done.stdout)

    def test_packaging_names_the_kernel_of_kernel_xml(self):
        xo = self.folder / "kan_kernel.xo"
        done, calls = self.record("package.tcl", "--design", self.design, "--out", xo)
        self.assertEqual(done.returncode, 0, done.stderr)
        package = next(call for call in calls if call[0] == "package_xo")
        options = dict(zip(package[1::2], package[2::2]))
        self.assertEqual(options["-xo_path"], str(xo))
        self.assertEqual(options["-kernel_name"], kernel().get("name"))
        self.assertTrue(os.path.samefile(options["-kernel_xml"], CARD / "kernel.xml"))
        vendor, library, name, version = kernel().get("vlnv").split(":")
        project = next(call for call in calls if call[0] == "ipx::package_project")
        self.assertEqual(options["-ip_directory"], project[project.index("-root_dir") + 1])
        self.assertEqual((project[project.index("-vendor") + 1], project[project.index("-library") + 1]), (vendor, library))
        self.assertIn(["set_property", "name", name, "core"], calls)
        self.assertIn(["set_property", "version", version, "core"], calls)
        buses = {call[call.index("-busif") + 1] for call in calls if call[0] == "ipx::associate_bus_interfaces"}
        self.assertEqual(buses, {port.get("name") for port in kernel().findall("ports/port")})

    def test_packaging_sets_protocol_and_target_in_the_top(self):
        top = self.folder / "kan_kernel.work" / "kan_kernel_top.v"
        self.record("package.tcl", "--design", self.design, "--out", self.folder / "kan_kernel.xo")
        self.assertIn("CHAIN   = 0", top.read_text())
        self.assertIn("OVERLAY = 0", top.read_text())
        xml = self.folder / "chain.xml"
        xml.write_bytes(subprocess.run([KANC, "registers", "--format", "xml", "--protocol", "ap_ctrl_chain"],
                                       capture_output=True, check=True).stdout)
        design = self.design / "rtl" / "design.json"
        design.write_text(design.read_text().replace('"target": "fixed"', '"target": "overlay"'))
        done, _ = self.record("package.tcl", "--design", self.design, "--out", self.folder / "kan_kernel.xo",
                              "--protocol", "ap_ctrl_chain", "--kernel_xml", xml)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("CHAIN   = 1", top.read_text())
        self.assertIn("OVERLAY = 1", top.read_text())

    def test_wrong_use_is_refused_with_what_was_expected(self):
        for script, arguments, message in (
                ("package.tcl", [], "option --design is missing"),
                ("package.tcl", ["--design", self.design, "--out", "x.xo", "--bored", "1"], "unknown option --bored; known: --design"),
                ("package.tcl", ["--design", self.design, "--out", self.folder / "x.xo", "--protocol", "ap_ctrl_chain"],
                 "is not for ap_ctrl_chain"),
                ("package.tcl", ["--design", self.folder, "--out", self.folder / "x.xo"], "no such file"),
                ("synthesise.tcl", ["--design", self.design, "--out", self.folder, "--top", "kan_lut"], "expected one of kan_datapath")):
            done, calls = self.record(script, *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(message, done.stderr)
            self.assertNotIn("package_xo", [call[0] for call in calls])


if __name__ == "__main__":
    print(f"vendor flow of {CARD}", file=sys.stderr)
    unittest.main()
