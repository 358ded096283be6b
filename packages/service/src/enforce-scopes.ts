import { AppError } from '@kindred/domain/app-error';
import type { Viewer } from '@kindred/domain/viewer';
import {
  type ConstDirectiveNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isObjectType,
  valueFromASTUntyped,
} from 'graphql';

/** What a field asks of its viewer: a credential, and every scope of at least one of these sets, if there are any. */
type Rule = readonly (readonly string[])[];

interface ContextWithViewer {
  viewer: Viewer;
}

/**
 * Makes every field that carries `@authenticated` or `@requiresScopes` (or whose type does) refuse viewers that do not
 * satisfy it, before its resolver or subscription runs. Changes the schema in place.
 */
export function enforceScopes(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const ofType = [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
    for (const field of Object.values(type.getFields())) {
      const rules = [readRule(ofType), readRule(field.astNode?.directives ?? [])].filter((rule) => rule !== null);
      if (rules.length > 0) guard(field, rules, `${type.name}.${field.name}`);
    }
  }
}

function guard(field: GraphQLField<unknown, ContextWithViewer>, rules: readonly Rule[], coordinate: string): void {
  const before = (
    next: GraphQLFieldResolver<unknown, ContextWithViewer>,
  ): GraphQLFieldResolver<unknown, ContextWithViewer> => {
    // oxlint-disable-next-line max-params -- graphql-js gives a resolver four
    return (source, args, context, info) => {
      for (const rule of rules) checkRule(rule, context.viewer, coordinate);
      return next(source, args, context, info);
    };
  };
  // A subscription is admitted once, when it starts; each of its events is what was admitted.
  if (field.subscribe === undefined) field.resolve = before(field.resolve ?? defaultFieldResolver);
  else field.subscribe = before(field.subscribe);
}

function checkRule(rule: Rule, viewer: Viewer, coordinate: string): void {
  if (viewer.kind === 'anonymous' || viewer.kind === 'system') {
    throw new AppError(
      'UNAUTHENTICATED',
      `${coordinate} needs a credential: send \`Authorization: Bearer …\` or \`X-API-Key\`.`,
    );
  }
  const granted: ReadonlySet<string> = new Set(viewer.scopes);
  const admitted = rule.length === 0 || rule.some((set) => set.every((scope) => granted.has(scope)));
  if (!admitted) {
    const wanted = rule.map((set) => set.join(' and ')).join(', or ');
    throw new AppError(
      'FORBIDDEN',
      `${coordinate} needs the scope ${wanted}; this credential has ${[...granted].join(', ') || 'none'}.`,
    );
  }
}

function readRule(directives: readonly ConstDirectiveNode[]): Rule | null {
  const scopes = directives.find((directive) => directive.name.value === 'requiresScopes');
  const authenticated = directives.some((directive) => directive.name.value === 'authenticated');
  if (scopes === undefined) return authenticated ? [] : null;
  const argument = scopes.arguments?.find((candidate) => candidate.name.value === 'scopes');
  const scopeSets: unknown = argument && valueFromASTUntyped(argument.value);
  if (!isScopeSets(scopeSets))
    throw new Error(`Wanted @requiresScopes(scopes: [["scope"]]), got ${JSON.stringify(scopeSets)}`);
  return scopeSets;
}

function isScopeSets(value: unknown): value is string[][] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((set) => Array.isArray(set) && set.length > 0 && set.every((scope) => typeof scope === 'string'))
  );
}
