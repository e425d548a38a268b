"""The textbook program in scipy's HiGHS: python3 peer.py GRAPH DEMANDS METHOD. One flow per source and arc; only the solve is timed."""
import json
import sys
import time

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import linprog


def rows(path, section, width):
    inside = False
    for line in open(path):
        fields = line.split()
        if not fields or fields[0] == "label":
            continue
        if fields[0] in ("NODES", "EDGES", "DEMANDS"):
            inside = fields[0] == section
        elif inside:
            yield [float(f) for f in fields[1:width]]


graph, demands, method = sys.argv[1:4]
nodes = sum(1 for _ in rows(graph, "NODES", 1))
edges = [(int(a), int(b), capacity) for a, b, _, capacity in rows(graph, "EDGES", 5)]
wanted = {}
for a, b, volume in rows(demands, "DEMANDS", 4):
    if a != b and volume > 0:
        wanted[int(a), int(b)] = wanted.get((int(a), int(b)), 0) + volume
sources = sorted({a for a, _ in wanted})
scale = np.mean([capacity for *_, capacity in edges])
count = len(edges)
most = len(sources) * count

row, column, value, right = [], [], [], []
for i, source in enumerate(sources):
    place = {v: i * (nodes - 1) + (v if v < source else v - 1) for v in range(nodes) if v != source}
    right += [wanted.get((source, v), 0) / scale for v in place]
    for arc, (a, b, _) in enumerate(edges):
        for end, sign in ((b, 1), (a, -1)):
            if end != source:
                row.append(place[end])
                column.append(i * count + arc)
                value.append(sign)
flow = sparse.csr_matrix((value, (row, column)), shape=(len(right), most + 1))
row, column, value = [], [], []
for arc, (_, _, capacity) in enumerate(edges):
    row += [arc] * (len(sources) + 1)
    column += [i * count + arc for i in range(len(sources))] + [most]
    value += [1.0] * len(sources) + [-capacity / scale]
room = sparse.csr_matrix((value, (row, column)), shape=(count, most + 1))
cost = np.zeros(most + 1)
cost[most] = 1
before = time.process_time()
found = linprog(cost, A_ub=room, b_ub=np.zeros(count), A_eq=flow, b_eq=right, bounds=(0, None), method=method)
print(json.dumps({"optimum": found.fun, "cpuS": time.process_time() - before, "variables": most + 1}))
