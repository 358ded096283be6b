import type { Metadata } from 'next';
import { RunPage } from '../../../../features/training/run-page.tsx';

export const metadata: Metadata = { title: 'Training run' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <RunPage runId={decodeURIComponent(id)} />;
}
