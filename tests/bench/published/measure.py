#!/usr/bin/env python3
"""Trains and judges the published data sets over several splits; started by ../published.sh, described in ../README.md."""
import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import samples

HERE = pathlib.Path(__file__).resolve().parent
MAGIC = HERE.parents[2] / "firmware/models/magic"
FOLDS = 4
TEACHER_SEEDS = (1, 2, 3, 4, 5)

# file, column of the class, part of the rows that judges, published figure, seed of the published split
SETS = {
    "wine": {"file": "wine.csv", "label": "class", "test": 0.3, "published": 0.982, "seed": 40},
    "drybean": {"file": "drybean.csv", "label": "Class", "test": 0.2, "published": 0.921, "seed": 42},
    "moons": {"file": None, "label": "moon", "test": 0.2, "published": 0.974, "seed": 420},
    "magic": {"file": "magic_train.csv", "label": "class", "published": 0.937},
}


class Failed(Exception):
    """A command or a file was not as expected; the message says which."""


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def read_rows(folder, name):
    path = folder / name
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError) as error:
        raise Failed(f"{path}: expected the data set described in tests/bench/README.md: {error}") from error
    return header, rows


def write_rows(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path


class Bench:
    def __init__(self, kanc, data, work):
        self.kanc, self.data, self.work = kanc, data, work

    def train(self, specification, events, label, out, *more):
        run(self.kanc, "train", specification, "--x", events, "--class-column", label, "--out", out,
            "--threads", 1, "--quiet", *more)
        return out

    def judge(self, bundle, events, label):
        return json.loads(run(self.kanc, "evaluate", bundle, "--x", events, "--y", events, "--label", label, "--json"))

    def luts(self, bundle):
        report = json.loads((bundle / "report.json").read_text())
        return report["epochs"][report["chosen_epoch"] - 1]["luts"]

    def one_split(self, name, seed):
        about = SETS[name]
        label = about["label"]
        if about["file"]:
            header, rows = read_rows(self.data, about["file"])
        else:
            header, rows = ["x", "y", label], samples.moons(seed)
        column = header.index(label)
        learn, judge = samples.split([row[column] for row in rows], about["test"], seed)
        train_file = write_rows(self.work / f"{name}-{seed}-train.csv", header, [rows[i] for i in learn])
        test_file = write_rows(self.work / f"{name}-{seed}-test.csv", header, [rows[i] for i in judge])
        bundle = self.train(HERE / f"{name}.toml", train_file, label, self.work / f"{name}-{seed}", "--seed", seed)
        answer = {"seed": seed, "value": self.judge(bundle, test_file, label)["accuracy"], "test_rows": len(judge),
                  "luts": self.luts(bundle)}
        if name == "moons":
            answer["best_possible"] = samples.moons_best_accuracy([rows[i] for i in judge])
        return answer

    def accuracy(self, name, seeds):
        runs = [self.one_split(name, seed) for seed in range(1, seeds + 1)]
        about = SETS[name]
        answer = summary("accuracy", about["published"], runs)
        answer["published_split"] = self.one_split(name, about["seed"])
        if name == "moons":
            answer["best_possible"] = statistics.mean(one["best_possible"] for one in runs)
        return answer

    def one_fold(self, header, rows, fold):
        label = SETS["magic"]["label"]
        learn = [row for i, row in enumerate(rows) if i % FOLDS != fold]
        judge = [row for i, row in enumerate(rows) if i % FOLDS == fold]
        train_file = write_rows(self.work / f"magic-{fold}-train.csv", header, learn)
        test_file = write_rows(self.work / f"magic-{fold}-test.csv", header, judge)
        teachers = []
        for seed in TEACHER_SEEDS:
            out = self.work / f"magic-{fold}-teacher-{seed}.kan"
            teachers += ["--teacher", self.train(MAGIC / "teacher.toml", train_file, label, out, "--seed", seed)]
        bundle = self.train(MAGIC / "spec.toml", train_file, label, self.work / f"magic-{fold}", *teachers)
        judged = self.judge(bundle, test_file, label)
        return {"fold": fold, "value": judged["auc"]["g"], "accuracy": judged["accuracy"], "test_rows": len(judge),
                "luts": self.luts(bundle)}

    def magic(self):
        header, rows = read_rows(self.data, SETS["magic"]["file"])
        return summary("ROC AUC", SETS["magic"]["published"], [self.one_fold(header, rows, k) for k in range(FOLDS)])


def summary(figure, published, runs):
    values = [one["value"] for one in runs]
    return {"figure": figure, "mean": statistics.mean(values),
            "spread": statistics.stdev(values) if len(values) > 1 else None, "min": min(values),
            "luts_estimated": round(statistics.mean(one["luts"] for one in runs)), "published": published,
            "runs": runs}


def row(name, answer):
    spread = "-" if answer["spread"] is None else f"{answer['spread']:.4f}"
    text = f"{name:<8} {answer['figure']:<9} {len(answer['runs']):>4} {answer['mean']:>7.4f} {spread:>7} "
    text += f"{answer['min']:>7.4f} {answer['luts_estimated']:>6} {answer['published']:>10.3f}"
    if "published_split" in answer:
        text += f"   {answer['published_split']['value']:.4f}"
    if "best_possible" in answer:
        text += f"   (the best possible rule: mean {answer['best_possible']:.4f}, "
        text += f"published split {answer['published_split']['best_possible']:.4f})"
    return text


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/published.sh", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SETS)} (default: all)")
    parser.add_argument("--seeds", type=int, default=10, help="splits, by the seeds 1, 2, ... [10]; magic has four folds")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--kanc", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SETS):
        parser.error(f"no such data set: {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    if not 1 <= arguments.seeds <= 1000:
        parser.error(f"--seeds: {arguments.seeds}, expected 1 to 1000")
    samples.check_generator()
    answers = {}
    with tempfile.TemporaryDirectory(prefix="kantrig-published-") as work:
        bench = Bench(arguments.kanc, arguments.data, pathlib.Path(work))
        if not arguments.json:
            print("data set figure    runs    mean  spread     min   LUTs  published   on its split", flush=True)
        for name in arguments.names or SETS:
            answers[name] = bench.magic() if name == "magic" else bench.accuracy(name, arguments.seeds)
            if not arguments.json:
                print(row(name, answers[name]), flush=True)
    if arguments.json:
        print(json.dumps(answers, indent=2))


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"published.sh: {failed}")
