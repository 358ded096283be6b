import { readFile } from 'node:fs/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { newId } from '@kindred/domain/ids';
import { type Scope, scopesOfApiKeyKind, scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { enforceScopes } from '@kindred/service/enforce-scopes';
import {
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
  parse,
  valueFromASTUntyped,
} from 'graphql';
import { expect, test } from 'vitest';
import { SUBGRAPHS, type SubgraphName } from './subgraphs.ts';

/** What is open to everybody, each for its reason. */
const OPEN: Readonly<Record<string, string>> = {
  'Query.viewer': 'says who asks, null for nobody',
  'Query.authenticateApiKey': 'hidden from clients; the gateway alone is let in, by its own guard',
  'Query.tenantAllowance': 'hidden from clients, like the look-up of keys',
  'Mutation.recordUsage': 'hidden from clients, like the look-up of keys',
  'Mutation.signUp': 'makes the first credential',
  'Mutation.signIn': 'gives a credential for a password',
  'Mutation.refreshSession': 'gives a credential for a refresh token',
  'Mutation.signOut': 'ends the session of a refresh token; every session only for who is signed in',
  'Mutation.acceptInvitation': 'gives a credential for an invitation',
};
const SCOPES: ReadonlySet<string> = new Set([...scopesOfRole('OWNER'), ...scopesOfApiKeyKind('SECRET')]);

type Field = GraphQLField<unknown, { viewer: Viewer }>;

interface Guarded {
  coordinate: string;
  subgraph: SubgraphName;
  field: Field;
  /** Every set of scopes of which one is enough; empty where any credential is. */
  scopeSets: Scope[][];
}

async function loadSchema(name: SubgraphName): Promise<GraphQLSchema> {
  const sdl = await readFile(new URL(`../../subgraphs/${name}/schema.graphql`, import.meta.url), 'utf8');
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl) }]);
  for (const field of fieldsIn(schema)) field.resolve = () => 'answered';
  enforceScopes(schema);
  return schema;
}

function fieldsIn(schema: GraphQLSchema): Field[] {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) ? Object.values(type.getFields()) : [],
  );
}

function guardedIn(schema: GraphQLSchema, subgraph: SubgraphName): Guarded[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type)) return [];
    const ofType = [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
    return Object.values(type.getFields()).flatMap((field) => {
      const directives = [...ofType, ...(field.astNode?.directives ?? [])];
      const rules = directives.filter(({ name }) => ['authenticated', 'requiresScopes'].includes(name.value));
      if (rules.length === 0) return [];
      const argument = rules.flatMap((rule) => rule.arguments ?? []).find(({ name }) => name.value === 'scopes');
      const scopeSets = argument === undefined ? [] : (valueFromASTUntyped(argument.value) as Scope[][]);
      return [{ coordinate: `${type.name}.${field.name}`, subgraph, field, scopeSets }];
    });
  });
}

const schemas = new Map<SubgraphName, GraphQLSchema>();
for (const name of SUBGRAPHS) schemas.set(name, await loadSchema(name));
const guarded = [...schemas].flatMap(([name, schema]) => guardedIn(schema, name));

function ask({ field }: Guarded, viewer: Viewer): unknown {
  return field.resolve?.({}, {}, { viewer }, {} as GraphQLResolveInfo);
}

const keyWith = (scopes: readonly Scope[]): Viewer => ({
  kind: 'apiKey',
  apiKeyId: newId('ApiKey'),
  tenantId: newId('Tenant'),
  scopes,
});

test.for(guarded.map((entry) => [`${entry.coordinate} of ${entry.subgraph}`, entry] as const))(
  '%s is refused to whoever lacks what its schema asks for, and answered to whoever has it',
  ([, entry]) => {
    expect(() => ask(entry, { kind: 'anonymous', scopes: [] })).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED' }),
    );
    expect(() => ask(entry, { kind: 'system', scopes: [] })).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED' }),
    );
    for (const scopeSet of entry.scopeSets) {
      const others = [...SCOPES].filter((scope) => !scopeSet.includes(scope as Scope)) as Scope[];
      const isNeeded = entry.scopeSets.every((set) => !set.every((scope) => others.includes(scope)));
      if (isNeeded) {
        expect(() => ask(entry, keyWith(others))).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
      }
      expect(ask(entry, keyWith(scopeSet))).toBe('answered');
      expect(scopeSet.filter((scope) => !SCOPES.has(scope))).toEqual([]);
    }
    if (entry.scopeSets.length === 0) expect(ask(entry, keyWith([]))).toBe('answered');
  },
);

test('every root field asks for a credential, or is open for a reason', () => {
  const guardedNames = new Set(guarded.map(({ coordinate }) => coordinate));
  const roots = [...schemas.values()].flatMap((schema) =>
    [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((name) => `${type?.name}.${name}`),
    ),
  );
  const open = roots.filter((name) => !guardedNames.has(name) && !/^Query\._(service|entities)$/.test(name));
  expect(open.toSorted()).toEqual(Object.keys(OPEN).toSorted());
  expect(guarded.length).toBeGreaterThan(15);
});
