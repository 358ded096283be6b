import type { StepResult } from '../training/measure-steps.ts';
import type { Unavailable } from '../training/unavailable.ts';
import { PAPER_SETTINGS, type PeerResult } from './measure-peer.ts';

/** Prints our step beside the peer's, and what the peer's ALS takes and reaches. */
export function printPeer(own: StepResult | Unavailable, peer: PeerResult | Unavailable): void {
  if ('unavailable' in peer) {
    console.log(`  peer: not here. ${peer.unavailable}`);
    return;
  }
  const { layers, dimension, batchSize } = PAPER_SETTINGS;
  const settings = `${layers} layers, d = ${dimension}, batch ${batchSize}, BPR`;
  const ours =
    'unavailable' in own
      ? `native: not here. ${own.unavailable}`
      : `native (${own.detail}) ${own.bestStepMs.toFixed(1)} ms, ${(peer.stepMs / own.bestStepMs).toFixed(1)} times as fast`;
  console.log(
    `  peer, one step at the paper's settings (${settings}): ${peer.versions} ${peer.stepMs.toFixed(1)} ms; ${ours}`,
  );
  const quality =
    peer.recallAt20 === null || peer.ndcgAt20 === null
      ? ''
      : `; R@20 ${peer.recallAt20.toFixed(4)}, N@20 ${peer.ndcgAt20.toFixed(4)}`;
  const times = `${peer.wallSeconds.toFixed(1)} s, ${peer.cpuSeconds.toFixed(1)} CPU s`;
  console.log(`  peer, implicit's ALS with ${dimension} factors: ${times}${quality}`);
}
