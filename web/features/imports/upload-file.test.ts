import { expect, it } from 'vitest';
import { uploadFile } from './upload-file.ts';

const FILE = new File(['{}'], 'items.jsonl');

it('gives the id of what was uploaded', async () => {
  const asked: string[] = [];
  const send = async (input: RequestInfo | URL, init?: RequestInit) => {
    asked.push(new Request(input, { method: init?.method ?? 'GET' }).url);
    return Response.json({ uploadId: 'u1' }, { status: 201 });
  };
  expect(await uploadFile(send, 'https://api.test', FILE)).toEqual({ uploadId: 'u1' });
  expect(asked).toEqual(['https://api.test/files/catalog/uploads']);
});

it('says why a file was not taken, and that nobody answered', async () => {
  const body = { errors: [{ message: 'This needs the scope catalog:write.' }] };
  const refuse = async () => Response.json(body, { status: 403 });
  expect(await uploadFile(refuse, '', FILE)).toEqual({ problem: 'This needs the scope catalog:write.' });
  const fail = () => Promise.reject(new TypeError('network'));
  expect(await uploadFile(fail, '', FILE)).toMatchObject({ problem: expect.stringContaining('did not answer') });
});

it('sends nothing of a file that is too large', async () => {
  const file = Object.defineProperty(new File([], 'big.csv'), 'size', { value: 1024 ** 3 + 1 });
  const send = () => Promise.reject(new Error('sent'));
  expect(await uploadFile(send, '', file)).toEqual({ problem: 'A file may have 1 GiB, big.csv has more.' });
});
