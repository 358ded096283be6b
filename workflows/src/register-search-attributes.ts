import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;

/**
 * Sees to it that the namespace knows what trainings are searched by: a workflow cannot say what the namespace does not know.
 * @throws Error naming what is missing where the server lets nobody add it.
 */
export async function registerSearchAttributes(
  { operatorService }: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<void> {
  const findMissing = async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return Object.values(SEARCH_ATTRIBUTES).filter(({ name }) => !(name in customAttributes));
  };
  const missing = await findMissing();
  if (missing.length === 0) {
    return;
  }
  const searchAttributes = Object.fromEntries(missing.map(({ name }) => [name, INDEXED_VALUE_TYPE_KEYWORD]));
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (cause) {
    // Another worker may have added them in between.
    const left = await findMissing();
    if (left.length > 0) {
      const names = left.map(({ name }) => name).join(', ');
      throw new Error(`The namespace "${namespace}" lacks the keyword search attributes ${names}.`, { cause });
    }
  }
}
