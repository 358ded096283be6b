/** The distinct nodes of a batch in order of first occurrence; a slot is a place in `nodes`. */
export interface BatchSlots {
  readonly nodes: Uint32Array<ArrayBuffer>;
  /** How often each occurs. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** The slots of each list's nodes, list by list. */
  readonly slotLists: readonly Uint32Array<ArrayBuffer>[];
}

/**
 * A function that finds the slots of a batch's node lists, in a graph of `nodeCount` nodes, good until its next call: its
 * working memory is reused.
 */
export function createSlotFinder(nodeCount: number): (nodeLists: readonly Int32Array[]) => BatchSlots {
  const slotOf = new Int32Array(nodeCount).fill(-1);
  let [nodes, counts, slots] = [new Uint32Array(0), new Uint32Array(0), new Uint32Array(0)];
  return (nodeLists) => {
    const most = nodeLists.reduce((sum, list) => sum + list.length, 0);
    if (slots.length < most)
      [nodes, counts, slots] = [new Uint32Array(most), new Uint32Array(most), new Uint32Array(most)];
    let slotCount = 0;
    let at = 0;
    for (const list of nodeLists) {
      for (let index = 0; index < list.length; index++) {
        const node = list[index] as number;
        let slot = slotOf[node] as number;
        if (slot < 0) {
          slot = slotCount++;
          slotOf[node] = slot;
          nodes[slot] = node;
          counts[slot] = 0;
        }
        counts[slot] = (counts[slot] as number) + 1;
        slots[at++] = slot;
      }
    }
    for (let slot = 0; slot < slotCount; slot++) slotOf[nodes[slot] as number] = -1;
    let end = 0;
    const slotLists = nodeLists.map(({ length }) => slots.subarray(end, (end += length)));
    return { nodes: nodes.subarray(0, slotCount), counts: counts.subarray(0, slotCount), slotLists };
  };
}

/** Places by group: those of group g are `places[offsets[g] .. offsets[g + 1])`, ascending. */
export interface InvertedList {
  readonly offsets: Uint32Array<ArrayBuffer>;
  readonly places: Uint32Array<ArrayBuffer>;
}

/** The places p of `groups` by their value `groups[p]`, which is below `groupCount`. */
export function invert(groups: Uint32Array, groupCount: number): InvertedList {
  const offsets = new Uint32Array(groupCount + 1);
  for (const group of groups) offsets[group + 1] = (offsets[group + 1] as number) + 1;
  for (let group = 0; group < groupCount; group++) {
    offsets[group + 1] = (offsets[group + 1] as number) + (offsets[group] as number);
  }
  const next = offsets.slice();
  const places = new Uint32Array(groups.length);
  for (let place = 0; place < groups.length; place++) {
    const group = groups[place] as number;
    places[next[group] as number] = place;
    next[group] = (next[group] as number) + 1;
  }
  return { offsets, places };
}
