"""Reads every #include of services/ and firmware/: folders may use only those below them, third parties only where this page says."""
import os
import re
import sys
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# The order of design and CONTRIBUTING.md. A folder may use itself and what its line names, nothing else.
LOWEST = {"base"}
LOW = LOWEST | {"kernels", "telemetry"}
MIDDLE = LOW | {"kan", "menu", "ledger", "wire"}
BELOW = {
    "base": set(),
    "kernels": LOWEST, "telemetry": LOWEST,
    "picture": LOWEST,  # what kanc and kantrig draw; never in the daemon
    "kan": LOW, "menu": LOW, "ledger": LOW, "wire": LOW,
    "card_link": LOW | {"kan"},  # between kantrigd and kantrig-card
    "backend": MIDDLE | {"card_link"},
    "pipeline": MIDDLE | {"card_link", "backend"},
    "control": MIDDLE | {"card_link", "backend", "pipeline"},
    "settings": MIDDLE | {"card_link", "backend", "pipeline", "control"},
    "service": LOWEST,
    "client": {"wire", "base"},  # part of the installed package: what it uses, every user links
    "apps": MIDDLE | {"card_link", "backend", "pipeline", "control", "settings", "client", "service", "card", "picture"},
    "card": LOWEST,  # the register map of the kernel, xclbin files, the emulated card
    "compiler": {"kan", "base", "card", "picture"},
    "synth": {"kan", "base", "compiler", "picture"},  # its subcommands are kanc's; of the compiler it uses design.hpp
    "sim": {"kan", "card"},  # the harnesses, built by kanc together with a design
}
FIRMWARE = {"card", "compiler", "sim", "synth"}  # the folders of firmware/; the others are those of services/

# Third parties, by how their headers begin, and the folders or files that may include them. Programs (apps, compiler) are leaves:
# nobody includes them, so what they use spreads no further.
THIRD_PARTIES = {
    "messages of proto/": (r"kantrig/v1/.*\.pb\.h", {
        "services/wire/": "the protocol, as plain structs for everybody else",
        "services/kan/model_proto.cpp": "model.pb of a bundle",
        "services/kan/manifest_json.cpp": "manifest.json of a bundle",
        "services/kan/card_image.cpp": "fpga/<platform>.json of a bundle",
        "firmware/compiler/learned/checkpoint.cpp": "models as real functions",
        "firmware/compiler/train/training_state.cpp": "trainings on their way",
        "services/ledger/run_record.cpp": "run records are protobuf JSON",
        "services/ledger/run_record.hpp": "internal to the ledger, and not one of its interface's headers",
        "services/control/request_handler.cpp": "answers operators' requests",
        "services/card_link/messages.cpp": "what kantrigd and kantrig-card say to each other",
        "services/apps/kantrig/": "asks the daemon, prints its replies and run records",
    }),
    "ONNX's format": (r"kantrig/onnx/.*\.pb\.h", {"firmware/compiler/exchange/onnx_graph.cpp": "models for others' runtimes"}),
    # Their classes have map fields, whose layout in the header depends on __SANITIZE_THREAD__ and in Debian's library does not.
    "protobuf's own messages": (r"google/protobuf/\w+\.pb\.h", {}),
    "protobuf": (r"google/protobuf/", {
        "services/kan/model_proto.cpp": "model.pb of a bundle",
        "services/kan/manifest_json.cpp": "manifest.json of a bundle",
        "services/kan/card_image.cpp": "fpga/<platform>.json of a bundle",
        "services/kan/wire_scan.cpp": "bounds of a file before it is parsed",
        "firmware/compiler/learned/checkpoint.cpp": "models as real functions",
        "firmware/compiler/exchange/onnx_graph.cpp": "models for others' runtimes",
        "services/ledger/run_record.cpp": "run records are protobuf JSON",
        "services/apps/kantrig/": "prints replies as protobuf JSON",
    }),
    "ZeroMQ": (r"zmq(\.h|\.hpp|_addon\.hpp)$", {
        "services/wire/": "sockets and frames",
        "services/client/connection.cpp": "the client's DEALER",
        "services/apps/kantrig/bench/": "plain ZeroMQ is the yardstick that the daemon is measured with",
    }),
    "prometheus-cpp": (r"prometheus/", {"services/telemetry/metric_writer.cpp": "lays out /metrics"}),
    "toml++": (r"toml\+\+/", {
        "services/menu/menu_text.cpp": "menus",
        "services/settings/document.cpp": "the daemon's configuration",
        "firmware/compiler/train/toml_reader.cpp": "training specifications",
        "firmware/compiler/explore/specification_edit.cpp": "the same, with some fields set otherwise",
    }),
    "Verilator": (r"verilated", {"firmware/sim/": "simulates designs; never linked by a program of ours"}),
    "XRT": (r"(xrt|experimental)/|(version|xrt|ert|xrt_mem)\.h$", {
        "services/apps/kantrig-card/xrt/": "the one process that owns a card",
        "firmware/card/emulated/": "stands in for the driver's library",
    }),
    "Boost.Beast": (r"boost/beast/", {"services/telemetry/": "HTTP"}),
    "Boost.Asio": (r"boost/asio/", {
        "services/telemetry/": "HTTP",
        "services/control/": "timers, the control socket and work beside the control thread",
        "services/apps/kantrigd/": "owns the io_context; signals",
        "services/apps/kantrig-card/": "the same, and the socket that daemons connect to",
    }),
    "libsodium": (r"sodium\.h$", {
        "services/base/digest.cpp": "SHA-256",
        "services/kan/signature.cpp": "Ed25519",
    }),
    "spdlog": (r"spdlog/", {"services/base/log.cpp": "the log"}),
    "libsystemd": (r"systemd/", {
        "services/service/service_manager.cpp": "readiness, status, watchdog",
    }),
    "CLI11": (r"CLI/", {
        "services/apps/": "command lines",
        "firmware/compiler/": "command lines",
        "firmware/synth/": "command lines",
        "firmware/card/emulated/main.cpp": "command lines",
    }),
    "nlohmann-json": (r"nlohmann/", {
        "services/control/state_file.cpp": "the state file",
        "services/apps/kantrig-card/sensors.cpp": "XRT gives sensors as JSON",
        "services/apps/kantrig/": "JSON of scripts that is not a message",
        "firmware/compiler/": "imports and reports",
        "firmware/synth/": "netlists of Yosys and reports",
    }),
    "Eigen": (r"Eigen/", {"firmware/compiler/": "linear algebra of fits"}),
    "tl::expected": (r"tl/", {"services/base/result.hpp": "Result<T>"}),
    "fmt": (r"fmt/", {
        "services/base/": "text of errors and of the log",
        "services/settings/": "text of --print-config",
        "services/apps/": "what programs print",
        "services/picture/": "SVG text",
        "firmware/compiler/": "what kanc prints",
        "firmware/synth/": "what kanc prints and writes",
        "firmware/card/register_files.cpp": "what is printed of the register map",
    }),
}

# The C++ standard library's headers have no suffix; these are the system's and the compiler's.
SYSTEM = re.compile(r"(arpa|linux|net|netinet|sys)/\w+\.h|\w*mmintrin\.h|(cpuid|dlfcn|errno|fcntl|link|poll|pthread|sched|signal|spawn|stdint|stdio|unistd)\.h")


def folder_of(path):
    """The folder of services/, or "compiler"; the path is relative to the source tree."""
    top, folder = path.split("/")[:2]
    return folder if top in ("services", "firmware") else None


def third_party_of(header):
    return next((name for name, (pattern, _) in THIRD_PARTIES.items() if re.match(pattern, header)), None)


def excuse_of(name, path):
    """The folder or file of THIRD_PARTIES that lets `path` include `name`; None when there is none."""
    return next((place for place in THIRD_PARTIES[name][1] if path == place or (place.endswith("/") and path.startswith(place))), None)


def violation(path, quote, header):
    """What is wrong with one #include; None when nothing is."""
    name = third_party_of(header)
    if name:
        return None if excuse_of(name, path) else f"{path} includes <{header}>: {name} may not be used here"
    if quote == "<":
        known = "." not in header or SYSTEM.fullmatch(header)
        return None if known else f"{path} includes <{header}>, which THIRD_PARTIES does not know"
    folder, used = folder_of(path), header.split("/")[0]
    if used not in BELOW:
        return f'{path} includes "{header}": no such folder; write it from services/ or firmware/ on'
    if used != folder and used not in BELOW[folder]:
        return f'{path} includes "{header}": {folder} may not use {used}'
    if used == "apps" and path.split("/")[2] != header.split("/")[1]:
        return f'{path} includes "{header}": no program may use another'
    root = "firmware" if used in FIRMWARE else "services"
    if not os.path.exists(os.path.join(SOURCE, root, header)):
        return f'{path} includes "{header}": there is no such file'
    return None


def includes():
    """(path, quote, header) of every #include, paths relative to the source tree."""
    for root in ("services", "firmware"):
        for folder, _, files in os.walk(os.path.join(SOURCE, root)):
            for file in sorted(files):
                if not file.endswith((".hpp", ".cpp", ".h", ".cc", ".hpp.in", ".cpp.in")):
                    continue
                path = os.path.join(folder, file)
                with open(path, encoding="utf-8") as source:
                    for quote, header in INCLUDE.findall(source.read()):
                        yield os.path.relpath(path, SOURCE), quote, header


class Structure(unittest.TestCase):
    def test_every_include_runs_downward_and_third_parties_stay_where_they_belong(self):
        found = list(includes())
        self.assertGreater(len(found), 1000, "the sources were not found")
        wrong = [text for text in (violation(*include) for include in found) if text]
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))

    def test_every_folder_of_services_has_its_place_in_the_order(self):
        folders = {entry.name for entry in os.scandir(os.path.join(SOURCE, "services")) if entry.is_dir()}
        self.assertEqual(folders, set(BELOW) - FIRMWARE)

    def test_no_leave_is_given_that_nobody_needs_any_more(self):
        used = {(name, excuse_of(name, path)) for path, _, header in includes() if (name := third_party_of(header))}
        # A place that is not there yet is a door of the design, not a leave out of date.
        given = {(name, place) for name, (_, places) in THIRD_PARTIES.items() for place in places
                 if os.path.exists(os.path.join(SOURCE, place))}
        self.assertEqual(set(), given - used)

    def test_what_is_forbidden_is_found(self):
        upward = violation("services/base/clock.cpp", '"', "wire/frame.hpp")
        self.assertEqual('services/base/clock.cpp includes "wire/frame.hpp": base may not use wire', upward)
        self.assertIn("ledger may not use menu", violation("services/ledger/run_book.cpp", '"', "menu/menu.hpp"))
        self.assertIn("client may not use telemetry", violation("services/client/lane.hpp", '"', "telemetry/exposer.hpp"))
        self.assertIn("compiler may not use control", violation("firmware/compiler/main.cpp", '"', "control/status.hpp"))
        self.assertIn("no program may use another", violation("services/apps/kantrig/main.cpp", '"', "apps/kantrigd/daemon.hpp"))
        self.assertIn("ZeroMQ may not be used here", violation("services/pipeline/shard.hpp", "<", "zmq.h"))
        self.assertIn("XRT may not be used here", violation("services/apps/kantrigd/main.cpp", "<", "xrt/xrt_device.h"))
        self.assertIn("does not know", violation("services/base/log.cpp", "<", "glog/logging.h"))
        self.assertIn("no such file", violation("services/base/log.cpp", '"', "base/nowhere.hpp"))
        self.assertIn("no such folder", violation("services/base/log.cpp", '"', "log.hpp"))


if __name__ == "__main__":
    print(f"structure of {SOURCE}", file=sys.stderr)
    unittest.main()
