/** Eigenvalues, largest first, and their vectors: eigenvector k of length `size` is row k of `vectors`. */
export interface EigenPairs {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * All eigenpairs of a symmetric matrix `[size, size]`, of which the lower triangle is read: Householder reduction to
 * tridiagonal form and implicit QL (Golub and Van Loan 2013, section 8.3; the EISPACK routines tred2 and tql2). Takes
 * some 10 size^3 operations.
 */
export function symmetricEigen(matrix: Float32Array | Float64Array, size: number): EigenPairs {
  // Rows of v are what the columns are in the books: inner loops then run along memory.
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) v[i * size + j] = v[j * size + i] = matrix[i * size + j] as number;
  }
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  reduce(v, size, diagonal, beside);
  iterate(v, size, diagonal, beside);
  const order = Array.from({ length: size }, (_, k) => k).toSorted(
    (a, b) => (diagonal[b] as number) - (diagonal[a] as number),
  );
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => vectors.set(v.subarray(from * size, (from + 1) * size), to * size));
  return { values: Float64Array.from(order, (from) => diagonal[from] as number), vectors };
}

/** Leaves a tridiagonal matrix (diagonal[k], beside[k] between k - 1 and k) and Q^T in the rows of v. */
function reduce(v: Float64Array, n: number, diagonal: Float64Array, beside: Float64Array): void {
  const reflectors = new Float64Array(n * n);
  const scales = new Float64Array(n);
  const product = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    const u = reflectors.subarray(k * n, (k + 1) * n);
    let norm = 0;
    for (let i = k + 1; i < n; i++) {
      u[i] = v[k * n + i] as number;
      norm += (u[i] as number) ** 2;
    }
    norm = Math.sqrt(norm);
    const head = u[k + 1] as number;
    const sign = head >= 0 ? 1 : -1;
    u[k + 1] = head + sign * norm;
    beside[k + 1] = -sign * norm;
    const square = 2 * norm * (norm + Math.abs(head));
    scales[k] = square === 0 ? 0 : 2 / square;
    if (square === 0) continue;
    reflectBothSides(v, n, { u, from: k + 1, scale: scales[k] as number, product });
  }
  for (let i = 0; i < n; i++) diagonal[i] = v[i * n + i] as number;
  if (n > 1) beside[n - 1] = v[(n - 1) * n + n - 2] as number;
  v.fill(0);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  // v = Q^T = ... H_1 H_0, built from the last reflector so that only its trailing block is touched.
  for (let k = n - 3; k >= 0; k--) {
    if (scales[k] === 0) continue;
    const u = reflectors.subarray(k * n, (k + 1) * n);
    for (let row = k + 1; row < n; row++) {
      let sum = 0;
      for (let i = k + 1; i < n; i++) sum += (v[row * n + i] as number) * (u[i] as number);
      sum *= scales[k] as number;
      for (let i = k + 1; i < n; i++) v[row * n + i] = (v[row * n + i] as number) - sum * (u[i] as number);
    }
  }
}

/** a = H a H with H = I - scale u u^T, on the trailing block from `from`. */
function reflectBothSides(
  a: Float64Array,
  n: number,
  { u, from, scale, product }: { u: Float64Array; from: number; scale: number; product: Float64Array },
): void {
  let inner = 0;
  for (let i = from; i < n; i++) {
    let sum = 0;
    for (let j = from; j < n; j++) sum += (a[i * n + j] as number) * (u[j] as number);
    product[i] = scale * sum;
    inner += (product[i] as number) * (u[i] as number);
  }
  const half = (scale * inner) / 2;
  for (let i = from; i < n; i++) product[i] = (product[i] as number) - half * (u[i] as number);
  for (let i = from; i < n; i++) {
    const ui = u[i] as number;
    const pi = product[i] as number;
    for (let j = from; j < n; j++) {
      a[i * n + j] = (a[i * n + j] as number) - ui * (product[j] as number) - pi * (u[j] as number);
    }
  }
}

/** Implicit QL on the tridiagonal matrix; the rows of v become eigenvectors. */
function iterate(v: Float64Array, n: number, d: Float64Array, beside: Float64Array): void {
  // e[k] stands between k and k + 1.
  const e = new Float64Array(n);
  for (let k = 1; k < n; k++) e[k - 1] = beside[k] as number;
  for (let low = 0; low < n; low++) {
    for (let round = 0; ; round++) {
      let split = low;
      for (; split < n - 1; split++) {
        const size = Math.abs(d[split] as number) + Math.abs(d[split + 1] as number);
        if (Math.abs(e[split] as number) <= Number.EPSILON * size) break;
      }
      if (split === low) break;
      if (round > 60) throw new RangeError(`Eigenvalue ${low} did not settle in 60 rounds: the matrix is not finite.`);
      sweep(v, n, d, e, { low, split });
    }
  }
}

function sweep(
  v: Float64Array,
  n: number,
  d: Float64Array,
  e: Float64Array,
  { low, split }: { low: number; split: number },
): void {
  let g = ((d[low + 1] as number) - (d[low] as number)) / (2 * (e[low] as number));
  let r = Math.hypot(g, 1);
  g = (d[split] as number) - (d[low] as number) + (e[low] as number) / (g + (g >= 0 ? r : -r));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = split - 1; i >= low; i--) {
    const f = s * (e[i] as number);
    const b = c * (e[i] as number);
    r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = (d[i + 1] as number) - p;
      e[split] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = (d[i + 1] as number) - p;
    r = ((d[i] as number) - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    const [here, after] = [i * n, (i + 1) * n];
    for (let k = 0; k < n; k++) {
      const x = v[after + k] as number;
      const y = v[here + k] as number;
      v[after + k] = s * y + c * x;
      v[here + k] = c * y - s * x;
    }
  }
  d[low] = (d[low] as number) - p;
  e[low] = g;
  e[split] = 0;
}
