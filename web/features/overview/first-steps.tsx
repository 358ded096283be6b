import { IconCheck } from '@tabler/icons-react';
import Link from 'next/link';
import classes from './first-steps.module.css';

interface FirstStepsProps {
  itemCount: number;
  hasModel: boolean;
  hasRun: boolean;
}

/** The way from nothing to recommendations, with what is done already. */
export function FirstSteps({ itemCount, hasModel, hasRun }: FirstStepsProps) {
  const steps = [
    {
      done: itemCount > 0,
      title: 'Bring a catalogue and interactions',
      text: (
        <>
          Send them with <code>upsertItems</code> and <code>recordInteractions</code>; an{' '}
          <Link href="/api-keys">API key</Link> is all it takes.
        </>
      ),
    },
    {
      done: hasModel,
      title: 'Create a model',
      text: (
        <>
          The default settings suit most catalogues. <Link href="/models">Go to models</Link>
        </>
      ),
    },
    {
      done: false,
      title: hasRun ? 'Finish a training' : 'Train it',
      text: <>Watch the curve pass the popularity line, live.</>,
    },
    {
      done: false,
      title: 'Try recommendations',
      text: (
        <>
          Until then the most popular items answer. <Link href="/recommendations">See them</Link>
        </>
      ),
    },
  ];
  const next = steps.findIndex(({ done }) => !done);
  return (
    <ol className={classes.steps}>
      {steps.map(({ done, title, text }, position) => (
        <li key={title} className={classes.step} data-done={done} data-next={position === next}>
          <span className={classes.mark} aria-hidden="true">
            {done ? <IconCheck size={14} stroke={2.4} /> : position + 1}
          </span>
          <span>
            <span className={classes.title}>
              {title}
              {done ? <span className={classes.doneWord}> (done)</span> : null}
            </span>
            <span className={classes.text}>{text}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
