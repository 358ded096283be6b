import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { compileFetch } from './compile-fetch.ts';
import { compileDefer, tellFetched } from './deferred-parts.ts';
import type { PlanRun, RunNode } from './plan-run.ts';
import type { Representations } from './representations.ts';
import type { TypeConditions } from './type-conditions.ts';

export interface PlanCompilation {
  types: TypeConditions;
  representations: Representations;
  /** The operation's own default values. */
  defaults: Readonly<Record<string, unknown>>;
  /** Answered by the event of a subscription in place of its subgraph. */
  primary?: FetchNode;
  /** Whether whoever fetches the same meanwhile may be given the same answer. */
  shareable: boolean;
}

/** Thrown for a plan with a node that this executor does not know. */
export class UnknownPlanNodeError extends Error {}

/** A plan as one function. @throws UnknownPlanNodeError */
export function compilePlan(
  node: PlanNode,
  compilation: PlanCompilation,
  path: readonly (string | number)[] = [],
): RunNode {
  const compile = (child: PlanNode) => compilePlan(child, compilation, path);
  switch (node.kind) {
    case 'Sequence':
      return sequence(node.nodes.map(compile));
    case 'Parallel': {
      const children = node.nodes.map(compile);
      return async (run) => {
        await Promise.all(children.map((child) => child(run)));
      };
    }
    case 'Flatten':
      return compilePlan(node.node, compilation, [...path, ...node.path]);
    case 'Fetch':
      if (node.contextRewrites !== undefined && node.contextRewrites.length > 0) {
        throw new UnknownPlanNodeError('A fetch takes its arguments from a context');
      }
      return tellFetched(node.id, compileFetch(node, path, compilation));
    case 'Condition': {
      const ifClause = node.ifClause && compile(node.ifClause);
      const elseClause = node.elseClause && compile(node.elseClause);
      return async (run) => {
        await (readCondition(node.condition, run, compilation) ? ifClause : elseClause)?.(run);
      };
    }
    case 'Defer':
      return compileDefer(node, compile);
    default:
      throw new UnknownPlanNodeError(`The plan holds a ${(node as PlanNode).kind}`);
  }
}

function sequence(children: readonly RunNode[]): RunNode {
  return async (run) => {
    for (const child of children) await child(run);
  };
}

function readCondition(name: string, { variables }: PlanRun, { defaults }: PlanCompilation): boolean {
  const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
  const value = given === undefined ? defaults[name] : given;
  if (typeof value !== 'boolean') throw new Error(`Wanted a boolean for $${name}, got ${String(value)}`);
  return value;
}
