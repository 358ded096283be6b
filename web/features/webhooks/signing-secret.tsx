import { ShownOnce } from '../shell/shown-once.tsx';

export function SigningSecret({ secret, onDone }: { secret: string; onDone: () => void }) {
  return (
    <ShownOnce value={secret} onDone={onDone} testId="webhook-secret" doneTestId="webhook-secret-done">
      Your receiver verifies requests with it. It is shown this once; if it is lost, rotate it.
    </ShownOnce>
  );
}
