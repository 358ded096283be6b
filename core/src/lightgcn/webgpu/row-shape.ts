/** How a table's rows lie on the device: each padded to whole `vec4<f32>`, which a power of two of threads share. */
export interface RowShape {
  /** vec4 of a row. */
  readonly stride: number;
  /** Threads that share a row. */
  readonly lanes: number;
  /** Rows of a workgroup of `ROW_THREADS` threads. */
  readonly rows: number;
}

/** Threads of a workgroup that works on rows. */
export const ROW_THREADS = 128;

export function shapeRows(dimension: number): RowShape {
  const stride = Math.ceil(dimension / 4);
  const lanes = Math.min(64, 2 ** Math.ceil(Math.log2(stride)));
  return { stride, lanes, rows: ROW_THREADS / lanes };
}

/** Tables between the host's form, without padding, and the device's. */
export interface RowPacking {
  /** Bytes of a table on the device. */
  readonly sizeBytes: number;
  /** The table itself where it needs no padding. */
  pack(table: Float32Array): Float32Array;
  unpack(packed: Float32Array, into: Float32Array): void;
}

export function createRowPacking(dimension: number, stride: number, rowCount: number): RowPacking {
  const width = stride * 4;
  return {
    sizeBytes: rowCount * width * 4,
    pack: (table) => {
      if (width === dimension) return table;
      const packed = new Float32Array(rowCount * width);
      for (let row = 0; row < rowCount; row++) {
        packed.set(table.subarray(row * dimension, (row + 1) * dimension), row * width);
      }
      return packed;
    },
    unpack: (packed, into) => {
      if (width === dimension) {
        into.set(packed);
        return;
      }
      for (let row = 0; row < rowCount; row++) {
        into.set(packed.subarray(row * width, row * width + dimension), row * dimension);
      }
    },
  };
}
