"""How good an answer is: one judge for everybody, computed from the files and not from what a solver says."""

from files import read_costs, read_pair, read_qaplib


def require_permutation(image, n):
    if sorted(image) != list(range(n)):
        raise ValueError("the answer is no permutation")


class PairScore:
    """||AX - XB||^2, the fraction of A's edges kept, and of vertices matched with their true partner."""

    def __init__(self, folder):
        self.pair = read_pair(folder)
        self.edges_b = set(self.pair.edges_b)

    def __call__(self, image):
        pair = self.pair
        require_permutation(image, pair.n)
        kept = sum((min(image[i], image[j]), max(image[i], image[j])) in self.edges_b for i, j in pair.edges_a)
        return {
            "value": 2 * len(pair.edges_a) + 2 * len(pair.edges_b) - 4 * kept,
            "edge_correctness": kept / len(pair.edges_a),
            "node_correctness": sum(i == j for i, j in zip(image, pair.truth)) / pair.n,
        }

    def reference(self):
        """The truth's own score."""
        return self(self.pair.truth)


class QapScore:
    """sum of A[i, j] B[p(i), p(j)]; the reference is the best known value."""

    def __init__(self, file, best_known):
        self.n, self.a, self.b = read_qaplib(file)
        self.best_known = best_known

    def __call__(self, image):
        require_permutation(image, self.n)
        rows = ((row, self.b[image[i]]) for i, row in enumerate(self.a))
        return {"value": sum(a * b[image[j]] for row, b in rows for j, a in enumerate(row))}

    def reference(self):
        return {"value": self.best_known}


class CostScore:
    """sum of c[i, p(i)]."""

    def __init__(self, file, n):
        self.file, self.n = file, n

    def __call__(self, image):
        require_permutation(image, self.n)
        costs = read_costs(self.file, self.n)
        return {"value": sum(costs[i * self.n + j] for i, j in enumerate(image))}

    def reference(self):
        return None
