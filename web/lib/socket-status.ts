/** What the page's one socket to the gateway is doing. */
export type SocketStatus = 'idle' | 'connecting' | 'open' | 'closed';

export interface SocketStatusStore {
  current: () => SocketStatus;
  set: (status: SocketStatus) => void;
  /** Calls `listener` after every change; gives the function that stops it. */
  subscribe: (listener: () => void) => () => void;
}

export function createSocketStatusStore(): SocketStatusStore {
  const listeners = new Set<() => void>();
  let status: SocketStatus = 'idle';
  return {
    current: () => status,
    set(next) {
      if (next === status) return;
      status = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
