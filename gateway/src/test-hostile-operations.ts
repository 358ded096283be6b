import type { Random } from '@kindred/testing/random';

/** Operations that a hostile client could send: each kind aims at one thing that costs more to serve than to send. */
export const HOSTILE_KINDS: readonly ((random: Random) => string)[] = [
  (random) => fragmentBomb({ levels: 2 + random.below(40), width: 1 + random.below(4) }),
  (random) => fragmentCycle(1 + random.below(20)),
  (random) => `{ ${repeat(random.below(1_300), (index) => `a${index}: __typename`)} }`,
  (random) => `{ ${repeat(random.below(400), (index) => `a${index}: item(externalId: "${index}") { title }`)} }`,
  (random) => `{ ${repeat(random.below(800), () => 'item(externalId: "1") { title }')} }`,
  (random) => `{ viewer { ${repeat(random.below(3_900), () => 'scopes')} } }`,
  (random) => `{ viewer { scopes ${repeat(random.below(700), () => '@include(if: true)')} } }`,
  (random) => `{ viewer { scopes ${repeat(random.below(900), () => `@nothing${random.below(3)}`)} } }`,
  (random) => nest(random.below(1_500), 'tenant { ', ' }'),
  (random) => nest(random.below(300), 'model(id: "1") { runs(first: 100) { edges { node { ', ' } } } }'),
  (random) =>
    `{ users(first: ${random.pick(['100', '2147483647', '-1', '1e9', '99999999999999999999'])}) { edges { node { interactions(first: 100) { edges { node { item { id title } } } } } } } }`,
  (random) => `{ recommend(input: ${'{ user: '.repeat(random.below(1_900))}1) { status } }`,
  (random) => `{ item(externalId: ${'['.repeat(random.below(3_900))}) { title } }`,
  (random) => `query (${repeat(random.below(900), (index) => `$v${index}: Boolean = true`)}) { viewer { scopes } }`,
  (random) =>
    `query (${repeat(random.below(40), (index) => `$v${index}: Boolean!`)}) { ${repeat(40, (index) => `item(externalId: "1") @include(if: $v${index}) { title }`)} }`,
  (random) => repeat(random.below(500), (index) => `query Q${index} { viewer { scopes } }`),
  (random) =>
    `${repeat(random.below(400), (index) => `fragment F${index} on Viewer { scopes }`)} { viewer { scopes } }`,
  (random) => `{ viewer { ${repeat(random.below(500), () => '... on Viewer { scopes }')} } }`,
  (random) => `{ viewer { ${'... { '.repeat(random.below(1_500))} scopes ${'} '.repeat(random.below(1_500))} } }`,
  (random) =>
    `{ __schema { types { ${'fields { type { '.repeat(random.below(12))} name ${'} } '.repeat(random.below(12))} } } }`,
  (random) =>
    `{ ${random.pick(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])}: viewer { __proto__: scopes constructor: scopes } }`,
  (random) =>
    `{ item(externalId: "${'\\u0000'.repeat(random.below(500))}${'🦊'.repeat(random.below(500))}") { title } }`,
  (random) =>
    `mutation { ${repeat(random.below(60), (index) => `m${index}: revokeApiKey(input: { apiKeyId: "1" }) { userErrors { code } }`)} }`,
  (random) =>
    `subscription { ${repeat(random.below(30), (index) => `s${index}: trainingProgress(runId: "1") { sequence }`)} }`,
  (random) => mutate(VALID, random),
  (random) => soup(random),
];

const VALID = `query Q($first: Int = 2) { recommend(input: { user: { externalId: "u1" } }, first: $first) {
  status modelVersion { number model { name tenant { name } } } edges { rank node { title ...F } } } } fragment F on Item { id }`;

function repeat(count: number, write: (index: number) => string): string {
  return Array.from({ length: count + 1 }, (_, index) => write(index)).join(' ');
}

function nest(levels: number, open: string, close: string): string {
  return `{ viewer { ${open.repeat(levels)} id ${close.repeat(levels)} } }`;
}

/** The shape of the 828-byte operation that holds the stock gateway's thread for seconds: each level doubles the work. */
export function fragmentBomb({ levels, width }: { levels: number; width: number }): string {
  const fragments = repeat(levels - 1, (level) => {
    const spreads = repeat(width - 1, (index) => `... on Viewer { ...F${level + 1} t${index}: tenant { id } }`);
    return `fragment F${level} on Viewer { ${spreads} }`;
  });
  return `{ viewer { ...F0 } } ${fragments} fragment F${levels} on Viewer { scopes }`;
}

function fragmentCycle(length: number): string {
  return `{ viewer { ...F0 } } ${repeat(length, (index) => `fragment F${index} on Viewer { scopes ...F${(index + 1) % (length + 1)} }`)}`;
}

function mutate(text: string, random: Random): string {
  let mutated = text;
  for (let change = 0; change <= random.below(6); change++) {
    const at = random.below(mutated.length);
    const kept = mutated.slice(at + random.below(3));
    mutated =
      mutated.slice(0, at) +
      random.pick(['', '{', '}', '"', '$', '@', '...', '!', ':', '\\', '\u0000', '"""', 'é', '#']) +
      kept;
  }
  return mutated;
}

function soup(random: Random): string {
  const words = [
    '{',
    '}',
    '(',
    ')',
    '...',
    'on',
    'query',
    'fragment',
    'viewer',
    'scopes',
    '$a',
    ':',
    '@skip',
    '"',
    '1',
    '[',
    ']',
    '!',
    '=',
  ];
  return repeat(random.below(300), () => random.pick(words));
}
