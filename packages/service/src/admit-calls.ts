import type { Viewer } from '@kindred/domain/viewer';
import { createCallSeal } from './call-seal.ts';
import { isCurrent, refuseToken, type Vouched } from './internal-token.ts';
import { LruCache } from './lru-cache.ts';
import type { SealedCall } from './operation-channel.ts';

/** Whom the gateway vouches for with this call. @throws AppError UNAUTHENTICATED */
export type AdmitCall = (call: SealedCall) => Pick<Vouched, 'viewer' | 'clientAddress'>;

// Of some hundred characters each.
const VIEWERS_KEPT = { capacity: 10_000, maxWeight: 10_000 };
const viewers = new LruCache<Viewer>(VIEWERS_KEPT);

/** Admits the calls of the channel that `upgradeToken` opened: sealed for it, as young as a token has to be, each once and in its order. */
export function admitCalls(secret: string, upgradeToken: string): AdmitCall {
  const seal = createCallSeal(secret, upgradeToken);
  let lastId = 0;
  return ({ call, seal: given, sealed, who }) => {
    if (!seal.admits(given, sealed)) throw refuseToken('its seal is not of this channel, or of another call');
    if (call.id <= lastId) throw refuseToken('it came before');
    lastId = call.id;
    if (!isCurrent(call.issuedAt)) throw refuseToken('it is not valid now');
    return { viewer: readViewer(who), clientAddress: call.clientAddress };
  };
}

/** What is sealed was written by `writeCall`. */
function readViewer(who: string): Viewer {
  let viewer = viewers.get(who);
  if (viewer === undefined) viewers.set(who, (viewer = JSON.parse(who) as Viewer), 1);
  return viewer;
}
