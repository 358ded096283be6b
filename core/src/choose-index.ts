/** What an index is chosen by. */
export interface IndexNeeds {
  readonly size: number;
  readonly dimension: number;
  /** The most bytes of memory that the index and its vectors may take; null: no bound. */
  readonly memoryBytes: number | null;
}

export interface IndexChoice {
  readonly kind: 'exact' | 'faiss';
  /** FAISS factory strings, the one to try first in front, for the case that it misses the recall floor; none of `exact`. */
  readonly factories: readonly string[];
  /** For operators: one sentence with the figures that decided. */
  readonly reason: string;
}

/**
 * Values (vectors x dimension) up to which exact search is chosen. By `npm run bench:index` 95 of 100 exact
 * searches of 1,000,000 vectors of 64 end within 4 ms and take 2 ms of a processor; inverted lists that find .98 take a
 * quarter of that, but a minute of a processor to train at every retraining, five times the memory, and the items that they
 * miss. Below the limit the difference is tenths of a millisecond. Above, exact search grows with the catalogue and lists with
 * its root.
 */
const MOST_EXACT_VALUES = 64e6;
/** FAISS warns below 39 training points per list. */
const POINTS_PER_LIST = 39;
const FEWEST_FOR_LISTS = 1000;

/** The index that suits a catalogue; pure. */
export function chooseIndex({ size, dimension, memoryBytes }: IndexNeeds): IndexChoice {
  const catalogue = `${size.toLocaleString('en')} vectors of ${dimension}`;
  const budget = memoryBytes ?? Number.POSITIVE_INFINITY;
  const exactBytes = size * bytesOf.exact(dimension);
  if (exactBytes <= budget && size * dimension <= MOST_EXACT_VALUES) {
    const limit = Math.floor(MOST_EXACT_VALUES / dimension).toLocaleString('en');
    return {
      kind: 'exact',
      factories: [],
      reason: `Exact: to compare all ${catalogue} is fast enough up to ${limit}, misses none and needs no training.`,
    };
  }
  const forms = listForms(size, dimension);
  const fitting = forms.filter(({ bytes }) => bytes <= budget);
  const [first] = fitting;
  if (first === forms[0]) {
    return {
      kind: 'faiss',
      factories: [first?.factory ?? 'Flat'],
      reason: `Inverted lists: to compare all ${catalogue} takes longer.`,
    };
  }
  const bound = `${formatMegabytes(budget)} are allowed and ${catalogue} take ${formatMegabytes(exactBytes)}`;
  if (first)
    return { kind: 'faiss', factories: fitting.map(({ factory }) => factory), reason: `Compressed: ${bound}.` };
  const smallest = forms.at(-1);
  const missed = `even compressed they take ${formatMegabytes(smallest?.bytes ?? 0)}`;
  return { kind: 'faiss', factories: [smallest?.factory ?? 'Flat'], reason: `Compressed most: ${bound}; ${missed}.` };
}

/** The form that suits a number of vectors where memory has no bound. */
export function chooseFactory(size: number): string {
  return size < FEWEST_FOR_LISTS ? 'Flat' : `${listsFor(size)},Flat`;
}

function listsFor(size: number): string {
  return `IVF${Math.max(1, Math.floor(Math.min(4 * Math.sqrt(size), size / POINTS_PER_LIST)))}`;
}

/** For each vector; FAISS keeps a row number of 8 bytes beside each code. */
const bytesOf = {
  exact: (dimension: number) => 4 * dimension + dimension + 12,
  flat: (dimension: number) => 4 * dimension + 8,
  scalar: (dimension: number) => dimension + 8,
  product: (codes: number) => codes + 8,
};

/** By falling size and recall. */
function listForms(size: number, dimension: number): { factory: string; bytes: number }[] {
  const lists = listsFor(size);
  const table = 4 * dimension * Number(lists.slice(3));
  const products = [2, 4, 8].filter((share) => dimension % share === 0).map((share) => dimension / share);
  const forms = [
    { code: 'Flat', perVector: bytesOf.flat(dimension) },
    { code: 'SQ8', perVector: bytesOf.scalar(dimension) },
    ...products.map((codes) => ({ code: `PQ${codes}np`, perVector: bytesOf.product(codes) })),
  ];
  return forms.map(({ code, perVector }) => ({ factory: `${lists},${code}`, bytes: table + size * perVector }));
}

function formatMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
}
