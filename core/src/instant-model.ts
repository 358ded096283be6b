import type { FoldableVectors } from './foldable-vectors.ts';
import { type InteractionMatrix, listItemsByUser } from './interaction-matrix.ts';
import { spectral } from './models/spectral.ts';

/**
 * A model that needs no training: the spectral one with the settings for data of this size, so that there is something
 * to answer with while another one learns. Folding in a user's own items gives the user's vector.
 * @throws InteractionDataError without interactions.
 */
export async function fitInstantModel(train: InteractionMatrix): Promise<FoldableVectors> {
  const { userCount, itemCount } = train;
  const config = spectral.defaultConfig({ userCount, itemCount, interactionCount: train.userRows.length });
  const { vectors } = await spectral.fit(train, config);
  if (vectors === null) throw new Error('Wanted vectors of the spectral model, got none.');
  const { dimension, items } = vectors;
  const { offsets } = listItemsByUser(train);
  // A spectral user is a plain sum. Divided by the root of its length, which changes no ranking, it is what fold-in gives.
  const users = vectors.users.map((value, at) => {
    const user = Math.floor(at / dimension);
    return value / Math.sqrt(Math.max(1, (offsets[user + 1] ?? 0) - (offsets[user] ?? 0)));
  });
  return { dimension, users, items, foldInPower: config.inputPower + config.outputPower, foldInMap: null };
}
