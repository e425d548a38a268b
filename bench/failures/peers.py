"""The same by NetworkX and SciPy: every failure from nothing, all pairs. Doubles are a sample, and what all would take is said."""
import json, random, sys, time
import networkx as nx, numpy as np, scipy
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

data = json.load(sys.stdin)
n, links = data["nodes"], data["links"]
m = len(links)
pairs = m * (m - 1) // 2
print(f"networkx {nx.__version__}, scipy {scipy.__version__}")


def by_scipy(gone):
    kept = [l for i, l in enumerate(links) if i not in gone]
    a, b, w = (np.array(x) for x in zip(*kept))
    return dijkstra(csr_matrix((w, (a, b)), shape=(n, n)), directed=False)


def by_networkx(gone):
    g = nx.Graph()
    g.add_nodes_from(range(n))
    g.add_weighted_edges_from(l for i, l in enumerate(links) if i not in gone)
    far = np.full((n, n), np.inf)
    for s, row in nx.all_pairs_dijkstra_path_length(g):
        for t, d in row.items():
            far[s, t] = d
    return far


base = by_scipy(())


def effect(far):
    ok = np.isfinite(base)
    both = ok & np.isfinite(far)
    return int((ok & ~np.isfinite(far)).sum()), int(np.rint((far[both] - base[both]).sum()))


def run(name, solve, cases, total, what):
    began = time.process_time()
    broken = extra = 0
    for gone in cases:
        b, x = effect(solve(gone))
        broken += b
        extra += x
    cpu = time.process_time() - began
    if len(cases) == total:
        print(f"{name} {what}: {cpu:.2f} CPU s, {total} cases, {broken} pairs without a path, {extra} m longer")
    else:
        print(f"{name} {what}: {cpu / len(cases) * total:.0f} CPU s, extrapolated from {len(cases)} of {total}")


random.seed(1)
singles = [(i,) for i in range(m)]
some = [tuple(sorted(random.sample(range(m), 2))) for _ in range(300)]
large = n > 300
run("scipy", by_scipy, random.sample(singles, 40) if large else singles, m, "singles")
run("networkx", by_networkx, random.sample(singles, 2 if large else 20), m, "singles")
run("scipy", by_scipy, some[:40] if large else some, pairs, "doubles")
run("networkx", by_networkx, some[: 2 if large else 20], pairs, "doubles")
