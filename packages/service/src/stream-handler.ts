import { AppError } from '@kindred/domain/app-error';
import type { Request, RequestHandler, Response } from 'express';
import {
  type ExecutionResult,
  getOperationAST,
  type GraphQLSchema,
  OperationTypeNode,
  parse,
  subscribe,
  validate,
} from 'graphql';
import { z } from 'zod';
import { writeEventStream } from './event-stream.ts';
import { type FormatError, toFormattedError } from './format-error.ts';

const PARAMETERS = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

export interface StreamOptions {
  schema: GraphQLSchema;
  context: (req: Request, res: Response) => Promise<object>;
  formatError: FormatError;
  draining: AbortSignal;
}

/** Serves subscriptions over Server-Sent Events; the errors of every event pass `formatError`. */
export function createStreamHandler(options: StreamOptions): RequestHandler {
  return async (req, res) => {
    const parameters = PARAMETERS.safeParse(req.body);
    if (!parameters.success) throw new AppError('BAD_USER_INPUT', 'Wanted a JSON object with `query`.');
    const results = await open(options, { ...parameters.data, context: await options.context(req, res) });
    await writeEventStream(res, results, options.draining);
  };
}

async function open(
  { schema, formatError }: StreamOptions,
  request: z.output<typeof PARAMETERS> & { context: object },
): Promise<AsyncIterable<string>> {
  const document = parse(request.query);
  const errors = validate(schema, document);
  if (errors.length > 0) return only(format({ errors }, formatError));
  if (getOperationAST(document, request.operationName)?.operation !== OperationTypeNode.SUBSCRIPTION) {
    throw new AppError('BAD_USER_INPUT', 'Streams serve subscriptions only.');
  }
  const result = await subscribe({
    schema,
    document,
    contextValue: request.context,
    variableValues: request.variables ?? {},
    operationName: request.operationName ?? null,
  });
  return Symbol.asyncIterator in result ? formatAll(result, formatError) : only(format(result, formatError));
}

/** The results as JSON, their errors formatted; an error that ends the source becomes a last result. */
function formatAll(source: AsyncGenerator<ExecutionResult>, formatError: FormatError): AsyncIterable<string> {
  let failed = false;
  // Not a generator: one that waits for its source could not be returned.
  const iterator: AsyncIterator<string, undefined> = {
    next: async () => {
      if (failed) return { done: true, value: undefined };
      try {
        const next = await source.next();
        return next.done === true
          ? { done: true, value: undefined }
          : { done: false, value: format(next.value, formatError) };
      } catch (error) {
        failed = true;
        return { done: false, value: JSON.stringify({ errors: [toFormattedError(error, formatError)] }) };
      }
    },
    return: async () => {
      await source.return(undefined);
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function format(result: ExecutionResult, formatError: FormatError): string {
  const { errors } = result;
  if (errors === undefined) return JSON.stringify(result);
  return JSON.stringify({ ...result, errors: errors.map((error) => toFormattedError(error, formatError)) });
}

async function* only(result: string): AsyncGenerator<string> {
  yield result;
}
