import type { GraphQLError, ResponsePath } from 'graphql';

/**
 * The errors of an answer. Where a field has become null, what goes wrong below it later is no longer an error of the
 * answer (GraphQL specification, "Handling Execution Errors").
 */
export class FieldErrors {
  readonly list: GraphQLError[] = [];
  readonly #nulled = new Set<ResponsePath | undefined>();

  /** An error for which the field at `path` becomes null; without one, the answer does. */
  add(error: GraphQLError, path: ResponsePath | undefined): void {
    if (this.#isNulled(path)) return;
    this.#nulled.add(path);
    this.list.push(error);
  }

  #isNulled(path: ResponsePath | undefined): boolean {
    if (this.#nulled.size === 0) return false;
    for (let at = path; at !== undefined; at = at.prev) if (this.#nulled.has(at)) return true;
    return this.#nulled.has(undefined);
  }
}
