import { useState } from 'react';

interface SecretDialog {
  opened: boolean;
  onClose: () => void;
  /** While it asks, and while it shows. */
  titles: { ask: string; show: string };
}

/** A dialog that asks what a secret is to be of, then shows it: the one time that it can be seen, so no slip closes it. */
export function useSecretDialog({ opened, onClose, titles }: SecretDialog) {
  const [secret, setSecret] = useState<string | null>(null);
  const close = (): void => {
    setSecret(null);
    onClose();
  };
  const isAsking = secret === null;
  const modal = {
    opened,
    onClose: close,
    title: isAsking ? titles.ask : titles.show,
    closeOnClickOutside: isAsking,
    closeOnEscape: isAsking,
  };
  return { modal, secret, setSecret, close };
}
