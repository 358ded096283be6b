import {
  type ASTVisitor,
  type DirectiveNode,
  GraphQLError,
  type GraphQLNamedType,
  Kind,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { DEFER } from './operation-size.ts';

/** Each variable that decides whether something is deferred doubles the plans of an operation. */
const MAX_CONDITIONS = 3;

/** What the incremental delivery RFC asks of `@defer` beside what its definition says, and how many conditions there may be: graphql 16 knows nothing of it. */
export const DEFER_RULES: readonly ValidationRule[] = [deferOnRootRule, deferLabelRule, deferConditionRule];

/** Fields of Mutation and Subscription are run in their order. */
function deferOnRootRule(context: ValidationContext): ASTVisitor {
  const schema = context.getSchema();
  return onDefer((node) => {
    const parent: GraphQLNamedType | null | undefined = context.getParentType();
    if (!parent || (parent !== schema.getMutationType() && parent !== schema.getSubscriptionType())) return;
    context.reportError(new GraphQLError(`@defer is not allowed on type "${parent.name}".`, { nodes: node }));
  });
}

/** A label tells parts apart: it is a text, and no other fragment has it. */
function deferLabelRule(context: ValidationContext): ASTVisitor {
  const known = new Set<string>();
  return onDefer((node) => {
    const label = node.arguments?.find(({ name }) => name.value === 'label')?.value;
    if (label === undefined || label.kind === Kind.NULL) return;
    if (label.kind !== Kind.STRING) {
      context.reportError(new GraphQLError('The label of @defer must be a text, not a variable.', { nodes: node }));
      return;
    }
    if (known.has(label.value)) {
      context.reportError(new GraphQLError(`Two fragments are deferred as "${label.value}".`, { nodes: node }));
    }
    known.add(label.value);
  });
}

function deferConditionRule(context: ValidationContext): ASTVisitor {
  const conditions = new Set<string>();
  return onDefer((node) => {
    const condition = node.arguments?.find(({ name }) => name.value === 'if')?.value;
    if (condition?.kind !== Kind.VARIABLE || conditions.has(condition.name.value)) return;
    conditions.add(condition.name.value);
    if (conditions.size !== MAX_CONDITIONS + 1) return;
    const message = `At most ${MAX_CONDITIONS} variables may decide what is deferred.`;
    context.reportError(new GraphQLError(message, { nodes: node }));
  });
}

function onDefer(check: (node: DirectiveNode) => void): ASTVisitor {
  return {
    Directive: (node) => {
      if (node.name.value === DEFER) check(node);
    },
  };
}
