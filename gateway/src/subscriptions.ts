import type { SubscriptionNode } from '@apollo/query-planner';
import { type FormatError, toFormattedError } from '@kindred/service/format-error';
import { runInTrace } from '@kindred/service/trace';
import type { FormattedExecutionResult } from 'graphql';
import type { Credential } from './auth.ts';
import type { OperationContext } from './context.ts';
import type { StreamEvent } from './event-stream-reader.ts';
import type { Executor, PlannedOperation } from './executor/executor.ts';
import { capErrors } from './limits.ts';
import type { OperationRequest } from './operation-request.ts';
import type { PreparedOperation } from './operations.ts';
import { EventFeed } from './event-feed.ts';
import { EventRounds } from './event-rounds.ts';
import { scopeOf } from './executor/viewer-scope.ts';
import { type ResumePoint, resumePointOf, sequenceOf } from './resume-point.ts';
import { SharedFeeds } from './shared-feeds.ts';
import type { Listening, SubgraphClient } from './subgraph-client.ts';
import { type Sharing, SubscriptionResults } from './subscription-results.ts';
import type { UpstreamEvents } from './upstream-events.ts';

/** How a subscription runs: what is subscribed where, and the plan to run for each event. */
export interface PlannedSubscription {
  variables: Record<string, unknown>;
  /** The subscription at the subgraph that owns the root field. */
  primary: SubscriptionNode['primary'];
  /** The primary's fetch, which each event answers, then everything that other subgraphs add. */
  planned: PlannedOperation;
  /** Undefined where it cannot be taken up elsewhere. */
  resume: ResumePoint | undefined;
}

export interface Consumer {
  credential: Credential;
  traceId: string;
  /** Whether the whole connection ends with the credential: then its subscriptions need not. */
  isWatched: boolean;
}

export interface Subscriptions {
  /** How a subscription that was admitted runs. */
  plan(prepared: PreparedOperation, request: OperationRequest): PlannedSubscription;
  /** Opens the subscription at the subgraph that owns it; its results, complete over all subgraphs, come in order. */
  subscribe(planned: PlannedSubscription, consumer: Consumer): SubscriptionResults;
  /** How many subscriptions are open. */
  activeCount(): number;
}

export interface SubscriptionOptions {
  executor: Executor;
  client: SubgraphClient;
  formatError: FormatError;
}

/**
 * Subscriptions over a federated graph. A consumer pulls: the next event is read from the subgraph and completed only
 * when somebody has taken the last, so a slow consumer holds back its own upstream, and next to nothing piles up here.
 * Consumers of one operation with the same variables and rights read one upstream, and each of its events is completed
 * and written once for all of them.
 */
export function createSubscriptions(options: SubscriptionOptions): Subscriptions {
  const { formatError } = options;
  const openFeed = createFeedOpener(options);
  const sharingOf = createSharing();
  let active = 0;
  return {
    plan: planOf,
    activeCount: () => active,
    subscribe: (planned, consumer) => {
      active += 1;
      const { credential, traceId, isWatched } = consumer;
      return new SubscriptionResults({
        credential: isWatched ? undefined : credential,
        open: (afterSequence) => openFeed(startingAfter(planned, afterSequence), consumer),
        sharing: sharingOf(planned, credential),
        formatError: (error) => runInTrace(traceId, () => ({ errors: [toFormattedError(error, formatError)] })),
        onEnd: () => {
          active -= 1;
        },
      });
    },
  };
}

function createFeedOpener(options: SubscriptionOptions) {
  const { client, formatError } = options;
  const complete = createEventCompleter(options);
  const rounds = new EventRounds();
  return (planned: PlannedSubscription, { credential: { viewer }, traceId }: Consumer): EventFeed => {
    const { resume } = planned;
    return new EventFeed({
      open: (signal, listener) =>
        openUpstream(client, planned, { context: { viewer, traceId, signal, deadlineAt: Infinity }, listener }),
      complete: (event, { signal, deadlineAt }) =>
        runInTrace(traceId, async () => {
          await rounds.pass();
          return await complete(planned, event, { viewer, traceId, signal, deadlineAt });
        }),
      failureOf: (error) => runInTrace(traceId, () => ({ errors: [toFormattedError(error, formatError)] })),
      sequenceOf: ({ data }) => resume && sequenceOf(resume, data),
    });
  };
}

function startingAfter(planned: PlannedSubscription, afterSequence: number | undefined): PlannedSubscription {
  const { resume, variables } = planned;
  if (afterSequence === undefined || resume === undefined) return planned;
  return { ...planned, variables: { ...variables, [resume.variable]: afterSequence } };
}

/** Feeds are shared within one operation, its variables but for where it begins, and all that a subgraph may know of the viewer. */
function createSharing() {
  const feedsOf = new WeakMap<PlannedOperation, SharedFeeds>();
  return ({ planned, resume, variables }: PlannedSubscription, { viewer }: Credential): Sharing | undefined => {
    if (resume === undefined) return undefined;
    const { [resume.variable]: _start, ...same } = variables;
    const feeds = feedsOf.get(planned) ?? new SharedFeeds();
    feedsOf.set(planned, feeds);
    return { feeds, key: `${scopeOf(viewer)}\n${JSON.stringify(same)}` };
  };
}

function planOf({ document, node, planned }: PreparedOperation, { variables }: OperationRequest): PlannedSubscription {
  const root = planned.plan.node;
  if (root?.kind !== 'Subscription') throw new Error(`Wanted the plan of a subscription, got ${root?.kind}`);
  return { variables, primary: root.primary, planned, resume: resumePointOf(document, node) };
}

function openUpstream(
  client: SubgraphClient,
  { primary, variables: given }: PlannedSubscription,
  listening: Listening,
): Pick<UpstreamEvents, 'ask'> {
  const { serviceName, operation: query, operationName, variableUsages = [] } = primary;
  const used = variableUsages.filter((name) => given[name] !== undefined);
  const variables = Object.fromEntries(used.map((name) => [name, given[name]]));
  return client.stream(serviceName, { query, operationName, variables }, listening);
}

/** Runs the plan of an event: the owner's fetch is answered by the event itself, every other one by its subgraph. */
function createEventCompleter({ executor, formatError }: SubscriptionOptions) {
  return async (
    { planned, variables }: PlannedSubscription,
    event: StreamEvent,
    context: OperationContext,
  ): Promise<FormattedExecutionResult> => {
    const executed = await executor.execute(planned, { variables, context, event });
    const { data = null, errors, extensions } = capErrors(executed.result);
    if (errors === undefined) return { data };
    const formatted = errors.map((error) => toFormattedError(error, formatError));
    return { data, errors: formatted, ...(extensions && { extensions }) };
  };
}
