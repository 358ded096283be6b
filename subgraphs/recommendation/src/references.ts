import type { ItemId, ModelVersionId } from '@kindred/domain/ids';

/** An item of the catalog subgraph: all that is known of it here is its id. */
export interface ItemReference {
  id: ItemId;
}

/** A version of the model subgraph. */
export interface ModelVersionReference {
  id: ModelVersionId;
}
