import type { Metadata } from 'next';
import { TuningPage } from '../../../../features/tuning/tuning-page.tsx';

export const metadata: Metadata = { title: 'Tuning' };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <TuningPage tuningId={decodeURIComponent(id)} />;
}
