import { BLOCK_WGSL } from './softmax-wgsl.ts';

/** Rows and columns of the tile that a workgroup of 16 x 16 threads computes, 4 x 4 in each. */
export const TILE = 64;

/**
 * A kernel in which each workgroup computes one tile of a block, sixteen terms of the sums at a time through workgroup memory, so
 * that every value read from the device's memory is used 64 times. `load` puts one vec4 of either factor in place for each
 * thread, `multiply` adds 16 terms to `sums`, `store` writes them; all find `tile` (its row and column), `across`, `down`.
 */
function tileKernel(parts: {
  /** Rows and vec4 of each factor's part in workgroup memory. */
  left: TileShape;
  right: TileShape;
  declarations: string;
  extent: string;
  load: string;
  multiply: string;
  store: string;
}): string {
  return /* wgsl */ `
${BLOCK_WGSL}
${parts.declarations}
var<workgroup> left: array<array<vec4f, ${parts.left.vectors}>, ${parts.left.rows}>;
var<workgroup> right: array<array<vec4f, ${parts.right.vectors}>, ${parts.right.rows}>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) place: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = blockOf(group.z);
  let tile = group.xy;
  let across = place.x;
  let down = place.y;
  var sums: array<vec4f, 4>;
  let extent = ${parts.extent};
  if (tile.x * 64u >= extent.x || tile.y * 64u >= extent.y) { return; }
  for (var term = 0u; term < extent.z; term += 16u) {
    ${parts.load}
    workgroupBarrier();
    ${parts.multiply}
    workgroupBarrier();
  }
  ${parts.store}
}
`;
}

interface TileShape {
  readonly rows: number;
  readonly vectors: number;
}

/** 64 rows by 16 terms, and 16 terms by 64 columns; the odd length keeps threads off each other's memory banks. */
const TALL: TileShape = { rows: 64, vectors: 5 };
const WIDE: TileShape = { rows: 16, vectors: 17 };

/** The directions of a block's users: those of its rows' slots. */
const ROW_AT = /* wgsl */ `
fn rowAt(block: Block, row: u32, column: u32) -> vec4f {
  if (row >= block.rowCount || column >= round.width) { return vec4f(); }
  return directions[rows[block.firstRow + row].x * round.width + column];
}
`;

/** The directions of a block's items: those of its columns' slots. */
const COLUMN_AT = /* wgsl */ `
fn columnAt(block: Block, row: u32, column: u32) -> vec4f {
  if (row >= block.columnCount || column >= round.width) { return vec4f(); }
  return directions[columns[block.firstColumn + row].x * round.width + column];
}
`;

/** Cosines of a block's rows with its columns. */
export const MULTIPLY_DIRECTIONS = tileKernel({
  left: TALL,
  right: TALL,
  declarations: /* wgsl */ `
@group(0) @binding(2) var<storage, read> rows: array<vec4u>;
@group(0) @binding(3) var<storage, read> columns: array<vec2u>;
@group(0) @binding(4) var<storage, read> directions: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
${ROW_AT}
${COLUMN_AT}
`,
  extent: 'vec3u(block.rowCount, block.stride * 4u, round.width * 4u)',
  load: /* wgsl */ `
    left[thread / 4u][thread % 4u] = rowAt(block, tile.x * 64u + thread / 4u, term / 4u + thread % 4u);
    right[thread / 4u][thread % 4u] = columnAt(block, tile.y * 64u + thread / 4u, term / 4u + thread % 4u);
`,
  multiply: /* wgsl */ `
    for (var part = 0u; part < min(4u, (extent.z - term + 3u) / 4u); part++) {
      let b0 = right[across][part];
      let b1 = right[across + 16u][part];
      let b2 = right[across + 32u][part];
      let b3 = right[across + 48u][part];
      for (var index = 0u; index < 4u; index++) {
        let a = left[down + index * 16u][part];
        sums[index] += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
      }
    }
`,
  store: /* wgsl */ `
  for (var index = 0u; index < 16u; index++) {
    let row = tile.x * 64u + down + index / 4u * 16u;
    let column = tile.y * 64u + across + index % 4u * 16u;
    if (row < block.rowCount && column < block.stride * 4u) {
      logits[(block.logits + row * block.stride) * 4u + column] = sums[index / 4u][index % 4u];
    }
  }
`,
});

/** The gradient by each row of a block: its weights times the columns' directions. */
export const MULTIPLY_BY_COLUMNS = tileKernel({
  left: TALL,
  right: WIDE,
  declarations: /* wgsl */ `
@group(0) @binding(2) var<storage, read> columns: array<vec2u>;
@group(0) @binding(3) var<storage, read> directions: array<vec4f>;
@group(0) @binding(4) var<storage, read> weights: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> gradients: array<vec4f>;
${COLUMN_AT}
`,
  extent: 'vec3u(block.rowCount, round.width * 4u, block.columnCount)',
  load: /* wgsl */ `
    let row = tile.x * 64u + thread / 4u;
    let quad = term / 4u + thread % 4u;
    var weight = vec4f();
    if (row < block.rowCount && quad < block.stride) { weight = weights[block.logits + row * block.stride + quad]; }
    left[thread / 4u][thread % 4u] = weight;
    right[thread / 16u][thread % 16u] = columnAt(block, term + thread / 16u, tile.y * 16u + thread % 16u);
`,
  multiply: /* wgsl */ `
    for (var part = 0u; part < min(4u, (extent.z - term + 3u) / 4u); part++) {
      let b0 = right[part * 4u][across];
      let b1 = right[part * 4u + 1u][across];
      let b2 = right[part * 4u + 2u][across];
      let b3 = right[part * 4u + 3u][across];
      for (var index = 0u; index < 4u; index++) {
        let a = left[down + index * 16u][part];
        sums[index] += a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
      }
    }
`,
  store: /* wgsl */ `
  let column = tile.y * 16u + across;
  for (var index = 0u; index < 4u; index++) {
    let row = tile.x * 64u + down + index * 16u;
    if (row < block.rowCount && column < round.width) { gradients[(block.firstRow + row) * round.width + column] = sums[index]; }
  }
`,
});

/** Adds to the gradient by each column of a block, which stand behind all rows: its weights times the rows' directions. */
export const MULTIPLY_BY_ROWS = tileKernel({
  left: WIDE,
  right: WIDE,
  declarations: /* wgsl */ `
@group(0) @binding(2) var<storage, read> rows: array<vec4u>;
@group(0) @binding(3) var<storage, read> directions: array<vec4f>;
@group(0) @binding(4) var<storage, read> weights: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> gradients: array<vec4f>;
${ROW_AT}
`,
  extent: 'vec3u(block.columnCount, round.width * 4u, block.rowCount)',
  load: /* wgsl */ `
    let row = term + thread / 16u;
    let quad = tile.x * 16u + thread % 16u;
    var weight = vec4f();
    if (row < block.rowCount && quad < block.stride) { weight = weights[block.logits + row * block.stride + quad]; }
    left[thread / 16u][thread % 16u] = weight;
    right[thread / 16u][thread % 16u] = rowAt(block, row, tile.y * 16u + thread % 16u);
`,
  multiply: /* wgsl */ `
    for (var part = 0u; part < min(16u, extent.z - term); part++) {
      let a = left[part][down];
      let b = right[part][across];
      sums[0] += a.x * b;
      sums[1] += a.y * b;
      sums[2] += a.z * b;
      sums[3] += a.w * b;
    }
`,
  store: /* wgsl */ `
  let column = tile.y * 16u + across;
  for (var index = 0u; index < 4u; index++) {
    let own = tile.x * 64u + down * 4u + index;
    if (own < block.columnCount && column < round.width) {
      let at = (block.columnGradients + own) * round.width + column;
      if (block.isFirst == 1u) { gradients[at] = sums[index]; } else { gradients[at] += sums[index]; }
    }
  }
`,
});
