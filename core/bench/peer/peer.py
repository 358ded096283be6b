"""What Python does with the same data on the same processors, for `npm run bench:train -- --peer`.

Arguments: a file of int32 (all user rows, then all item rows), the numbers of users and items, a folder for vectors, a seed.
Prints one line of JSON: the best time of LightGCN's BPR step at the paper's settings (arXiv:2002.02126: 3 layers, d = 64,
batches of 2,048, Adam at 0.001, lambda 1e-4) in numpy and scipy.sparse, and what implicit's ALS (64 factors, its defaults else)
takes to fit; its vectors go into the folder as float32.
"""

import json
import os
import resource
import sys
import time

import implicit
import numpy as np
import scipy
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares

LAYERS, DIMENSION, BATCH, RATE, DECAY = 3, 64, 2048, 1e-3, 1e-4
STEPS = 8


def normalized_graph(users, items, user_count, item_count):
    nodes = user_count + item_count
    rows = np.concatenate([users, items + user_count])
    columns = np.concatenate([items + user_count, users])
    graph = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(nodes, nodes))
    graph.data[:] = 1
    scale = sp.diags(1 / np.sqrt(np.maximum(1, np.diff(graph.indptr))))
    return (scale @ graph @ scale).tocsr().astype(np.float32)


def layer_mean(graph, table):
    total = table.copy()
    for _ in range(LAYERS):
        table = graph @ table
        total += table
    return total / (LAYERS + 1)


def time_steps(graph, users, items, counts, random):
    """Seconds of each step after a first that is not counted."""
    user_count, item_count = counts
    nodes = user_count + item_count
    ego = random.normal(0, 0.1, (nodes, DIMENSION)).astype(np.float32)
    first, second = np.zeros_like(ego), np.zeros_like(ego)
    seconds = []
    for step in range(1, STEPS + 2):
        began = time.perf_counter()
        edges = random.integers(0, len(users), BATCH)
        user, positive = users[edges], items[edges] + user_count
        # A uniform negative may by chance be one of the user's items; the time of a step does not depend on it.
        negative = random.integers(0, item_count, BATCH) + user_count
        final = layer_mean(graph, ego)
        apart = final[positive] - final[negative]
        slope = (-1 / (1 + np.exp((final[user] * apart).sum(axis=1))) / BATCH)[:, None].astype(np.float32)
        rows = np.concatenate([user, positive, negative])
        parts = np.concatenate([slope * apart, slope * final[user], -slope * final[user]])
        chosen = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), shape=(nodes, len(rows)))
        # The graph is symmetric: back is the way forward.
        gradient = layer_mean(graph, chosen @ parts)
        gradient += (DECAY / BATCH) * np.bincount(rows, minlength=nodes)[:, None].astype(np.float32) * ego
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        ego -= RATE / (1 - 0.9**step) * first / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        seconds.append(time.perf_counter() - began)
    return seconds[1:]


def fit_als(users, items, counts, seed):
    matrix = sp.csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=counts)
    model = AlternatingLeastSquares(factors=DIMENSION, random_state=seed)
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    model.fit(matrix, show_progress=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return model, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    path, user_count, item_count, folder, seed = sys.argv[1], *map(int, sys.argv[2:4]), sys.argv[4], int(sys.argv[5])
    users, items = np.fromfile(path, np.int32).reshape(2, -1)
    counts = (user_count, item_count)
    steps = time_steps(normalized_graph(users, items, *counts), users, items, counts, np.random.default_rng(seed))
    model, wall, cpu = fit_als(users, items, counts, seed)
    for name, table in (("users", model.user_factors), ("items", model.item_factors)):
        np.ascontiguousarray(table, np.float32).tofile(os.path.join(folder, name))
    versions = f"implicit {implicit.__version__}, scipy {scipy.__version__}, numpy {np.__version__}"
    print(json.dumps({"versions": versions, "stepMs": 1000 * min(steps), "wallSeconds": wall, "cpuSeconds": cpu}))


main()
