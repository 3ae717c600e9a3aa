"""What no tool at hand checks of the files of operations: that their parts fit each other and the configuration there is."""
import json
import re
import sys
from pathlib import Path

import yaml

ops = Path(__file__).parent
problems = []


def check(holds, problem):
    if not holds:
        problems.append(problem)


def load(name):
    return yaml.safe_load((ops / name).read_text())


def keys():
    """The configuration keys of config.md, a list's number as `N`."""
    return {match.lower() for match in re.findall(r"^\| `([A-Za-z0-9:]+)`", (ops / "config.md").read_text(), re.M) if ":" in match}


def compose():
    known, services = keys(), load("containers/compose.yml")
    names, volumes = services["services"], services["volumes"]
    declared = set(re.findall(r"^([A-Z0-9_]+)=", (ops / "containers/.env.example").read_text(), re.M))
    used = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", (ops / "containers/compose.yml").read_text()))
    check(declared == used, f".env.example and compose.yml differ in {sorted(declared ^ used)}")
    for name, service in names.items():
        check("image" in service or "build" in service, f"{name} has neither image nor build")
        for other in service.get("depends_on", []):
            check(other in names, f"{name} waits for {other}, which is no service")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            check(source in volumes or (ops / "containers" / source).is_file(), f"{name} mounts {source}, which is nowhere")
        for variable in service.get("environment") or {}:
            if variable.startswith("PIPELINE__"):
                key = re.sub(r":\d+(?=:|$)", ":n", variable[len("PIPELINE__"):].replace("__", ":").lower())
                check(re.sub(r":n$", "", key) in known, f"{name} sets {variable}, which is no key of config.md")
        if service.get("image") == "pipeline":
            check(service.get("read_only") and service.get("cap_drop") == ["ALL"], f"{name} may do more than it must")
    queues = {queue for service in names.values() for queue in service.get("command", []) if isinstance(queue, str) and queue in stages()}
    check(queues == stages(), f"no worker of compose.yml serves {sorted(stages() - queues)}")


def stages():
    """The queues of the README's table of stages."""
    rows = re.findall(r"^\| [^|]+ \| `([a-z-]+)` \| `src/Workers", (ops.parent / "README.md").read_text(), re.M)
    return set(rows)


def collector():
    config = load("collector/otel-collector.yml")
    for name, pipeline in config["service"]["pipelines"].items():
        for kind in ("receivers", "processors", "exporters"):
            for part in pipeline[kind]:
                check(part in config[kind], f"the collector's pipeline {name} names {part}, which is not among its {kind}")
        check(pipeline["processors"][0] == "memory_limiter", f"the collector's pipeline {name} has no bound on memory first")
    for extension in config["service"]["extensions"]:
        check(extension in config["extensions"], f"the collector has no extension {extension}")
    check(set(config["service"]["pipelines"]) == {"traces", "metrics", "logs"}, "the collector leaves a signal out")


def scrapes():
    services = load("containers/compose.yml")["services"]
    for job in load("collector/prometheus.yml")["scrape_configs"]:
        for target in job["dns_sd_configs"]:
            for name in target["names"]:
                check(name in services, f"Prometheus scrapes {name}, which is no service")


def dashboard():
    panels = json.loads((ops / "dashboards/pipeline.json").read_text())["panels"]
    check(len({panel["id"] for panel in panels}) == len(panels), "two panels of the dashboard have one id")
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        check(not cells & taken, f"the panel {panel['title']} lies upon another")
        taken |= cells


def alerts():
    tested = {test["alertname"] for group in load("alerts/pipeline.tests.yml")["tests"] for test in group["alert_rule_test"] if test["exp_alerts"]}
    for rule in load("alerts/pipeline.rules.yml")["groups"][0]["rules"]:
        check(rule["annotations"].get("runbook"), f"the alert {rule['alert']} does not say what to do")
        check(rule["alert"] in tested, f"no test sees the alert {rule['alert']} fire")


for part in (compose, collector, scrapes, dashboard, alerts):
    part()
for problem in problems:
    print(f"error: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
