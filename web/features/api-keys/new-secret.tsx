import { ShownOnce } from '../shell/shown-once.tsx';

export function NewSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <ShownOnce value={secret} onDone={onDone} testId="api-key-secret" doneTestId="api-key-done">
      It is shown this once: only its digest is kept. If it is lost, revoke it and create another.
    </ShownOnce>
  );
}
