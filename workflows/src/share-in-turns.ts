/** What a file may grow by, such as the digits of its figures, before it wants other memory. */
const SLACK_BYTES = 64 * 1024;

/**
 * Gives memory that threads share, two pieces in turns: what was given holds until it is asked for the second time after.
 * Memory of a thread's own that is handed over again and again would count as the receiver's garbage, and each few megabytes
 * of it make the receiver look through all that it holds.
 */
export function shareInTurns(): (byteCount: number) => Uint8Array<SharedArrayBuffer> {
  let [next, other] = [new SharedArrayBuffer(0), new SharedArrayBuffer(0)];
  return (byteCount) => {
    const piece = next.byteLength < byteCount ? new SharedArrayBuffer(byteCount + SLACK_BYTES) : next;
    [next, other] = [other, piece];
    return new Uint8Array(piece, 0, byteCount);
  };
}
