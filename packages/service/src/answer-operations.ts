import type { Viewer } from '@kindred/domain/viewer';
import type { FormatError } from './format-error.ts';
import type { Vouched } from './internal-token.ts';
import { joinLines, splitLines } from './operation-lines.ts';
import type { OperationAnswer, RunOperation } from './operation-runner.ts';
import { answerOf, parseJson } from './request-pipeline.ts';
import { type Exchange, RequestOf, type SubgraphRequest } from './subgraph-request.ts';

/** A body of operations as it came. */
export interface OperationsMessage {
  /** Who asks. @throws AppError UNAUTHENTICATED when nothing vouches for it */
  admit: () => Pick<Vouched, 'viewer' | 'clientAddress'>;
  body: Buffer;
  /** Whether the body is several operations, one a line. */
  hasLines: boolean;
}

export interface TextAnswer {
  status: number;
  text: string;
}

export type AnswerOperations = (message: OperationsMessage, exchange: Exchange) => Promise<TextAnswer>;

interface AnswerParts {
  createContext: (viewer: Viewer, request: SubgraphRequest) => object | Promise<object>;
  run: RunOperation;
  formatError: FormatError;
  draining: AbortSignal;
}

/** The answer to a body, whatever is wrong with it; to one of several operations, their answers line by line. */
export function createAnswerOperations(parts: AnswerParts): AnswerOperations {
  const { createContext, run, formatError, draining } = parts;
  const orError = async (work: () => Promise<OperationAnswer>): Promise<TextAnswer> => {
    try {
      const { status, result } = await work();
      return { status, text: JSON.stringify(result) };
    } catch (error) {
      return answerError(error, formatError);
    }
  };
  return async ({ admit, body, hasLines }, exchange) => {
    let vouched;
    let operations;
    try {
      vouched = admit();
      const text = body.toString('utf8');
      operations = hasLines ? splitLines(text) : [text];
    } catch (error) {
      return answerError(error, formatError);
    }
    const { viewer, clientAddress } = vouched;
    const request = new RequestOf({ exchange, clientAddress, draining });
    // Each with a context of its own, as if it had come alone.
    const answerOne = (text: string) =>
      orError(async () => await run(parseJson(text), await createContext(viewer, request)));
    const [only = ''] = operations;
    if (!hasLines) return await answerOne(only);
    const answers = await Promise.all(operations.map(answerOne));
    return { status: 200, text: joinLines(answers.map((answer) => answer.text)) };
  };
}

/** What was thrown outside GraphQL, written as an answer. */
export function answerError(error: unknown, formatError: FormatError): TextAnswer {
  const { status, body } = answerOf(error, formatError);
  return { status, text: JSON.stringify(body) };
}
