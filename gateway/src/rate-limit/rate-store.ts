/** A bucket that fills by `pointsPerSecond` up to `burst` points; empty, it refuses. */
export interface Bucket {
  /** What it belongs to, such as `tenant:0199…`. */
  key: string;
  pointsPerSecond: number;
  burst: number;
}

export interface Taken {
  /** Zero when refused. */
  granted: number;
  /** What is left in the bucket that has least. */
  remaining: number;
  /** Until `need` points are there; zero when granted. */
  retryAfterMs: number;
}

/** Where buckets are kept. */
export interface RateStore {
  /** Takes `want` points from every bucket, else `need`, else none from any. @throws when the store does not answer */
  take(buckets: readonly Bucket[], points: { need: number; want: number }): Promise<Taken>;
}
