"""One case in GNPy (oopt-gnpy 2.14): CPU seconds of its propagate(), and GSNR per channel, as JSON on stdout.

usage: peer.py TOPOLOGY EQUIPMENT FROM TO REPEATS [SIM_PARAMS]
"""
import json
import logging
import sys
import tempfile
import time
from copy import deepcopy
from pathlib import Path

from gnpy.core.parameters import SimParams
from gnpy.tools.json_io import load_equipment, load_network
from gnpy.tools.worker_utils import designed_network
from gnpy.topology.request import compute_constrained_path, propagate

logging.disable(logging.CRITICAL)
topology, equipment_file, source, destination, repeats = sys.argv[1:6]
if len(sys.argv) > 6:
    SimParams.set_params(json.loads(Path(sys.argv[6]).read_text()))
equipment = load_equipment(Path(equipment_file))
# Its schema check refuses keys that its own older topologies carry.
described = {key: value for key, value in json.loads(Path(topology).read_text()).items() if key != "metadata"}
with tempfile.NamedTemporaryFile("w", suffix=".json") as plain:
    json.dump(described, plain)
    plain.flush()
    loaded = load_network(Path(plain.name), equipment)
network, request, _ = designed_network(equipment, loaded, source, destination)
path = compute_constrained_path(network, request)
seconds = []
for _ in range(int(repeats)):
    fresh = deepcopy(path)
    began = time.process_time()
    propagate(fresh, request, equipment)
    seconds.append(time.process_time() - began)
print(json.dumps({"cpuS": seconds, "elements": len(path), "gsnrDb01nm": list(fresh[-1].snr_01nm)}))
