import type { HeldOutPart, RankingMetrics, TrainingEventBody } from '@kindred/domain/training';

/** An event in one line for people. */
export function messageOf(body: TrainingEventBody): string {
  if (body.kind === 'EPOCH_FINISHED') {
    const { epoch, epochs, loss, ndcgAt10 } = body;
    return `Epoch ${epoch} of at most ${epochs}: loss ${loss.toFixed(4)}, validation NDCG@10 ${ndcgAt10.toFixed(4)}`;
  }
  if (body.kind === 'BASELINE_EVALUATED') {
    return `${body.name}: ${inWords(body)}`;
  }
  return body.kind === 'MODEL_EVALUATED' ? `The model: ${inWords(body)}` : body.message;
}

function inWords({ heldOut, metrics }: { heldOut: HeldOutPart; metrics: RankingMetrics }): string {
  const { ndcgAt10, recallAt10 } = metrics;
  return `NDCG@10 ${ndcgAt10.toFixed(4)}, recall@10 ${recallAt10.toFixed(4)} on ${heldOut.toLowerCase()} interactions`;
}
