import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { FileObjectStore, writeWhole } from './file-object-store.ts';
import { checkObjectKey, ObjectNotFoundError } from './object-key.ts';
import type { ObjectStore } from './object-store.ts';

export interface S3Access {
  /** The origin of an S3-compatible server; AWS's own when left out. */
  endpoint?: string | undefined;
  region?: string | undefined;
  accessKeyId?: string | undefined;
  secretAccessKey?: string | undefined;
}

/** Objects in a bucket of S3 or of a server that speaks its protocol. */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #cacheDir: string;
  readonly #cache: FileObjectStore;
  readonly #downloads = new Map<string, Promise<string>>();

  constructor({ bucket, access, cacheDir }: { bucket: string; access: S3Access; cacheDir: string }) {
    this.#client = createClient(access);
    this.#bucket = bucket;
    this.#cacheDir = join(cacheDir, bucket);
    this.#cache = new FileObjectStore(this.#cacheDir);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: checkObjectKey(key), Body: bytes }));
    await this.#cache.delete(key);
  }

  async putFile(key: string, path: string): Promise<void> {
    const { size } = await stat(path);
    const Body = createReadStream(path);
    try {
      await this.#client.send(
        new PutObjectCommand({ Bucket: this.#bucket, Key: checkObjectKey(key), Body, ContentLength: size }),
      );
    } finally {
      Body.destroy();
    }
    await this.#cache.delete(key);
  }

  async get(key: string): Promise<Uint8Array> {
    return await new Response(await this.#open(key).then((body) => body.transformToWebStream())).bytes();
  }

  async materialize(key: string): Promise<string> {
    if (await this.#cache.exists(key)) return await this.#cache.materialize(key);
    const running = this.#downloads.get(key);
    if (running !== undefined) return await running;
    const download = this.#download(key).finally(() => this.#downloads.delete(key));
    this.#downloads.set(key, download);
    return await download;
  }

  async exists(key: string): Promise<boolean> {
    try {
      await this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: checkObjectKey(key) }));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const page of this.#pages(prefix)) keys.push(...page);
    return keys.toSorted();
  }

  async evict(key: string): Promise<void> {
    await this.#cache.delete(key);
  }

  async delete(prefix: string): Promise<void> {
    checkObjectKey(prefix);
    await this.#cache.delete(prefix);
    await this.#deleteKeys([prefix]);
    for await (const page of this.#pages(prefix)) await this.#deleteKeys(page);
  }

  async ping(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
  }

  async *#pages(prefix: string): AsyncGenerator<string[], void> {
    let ContinuationToken: string | undefined;
    do {
      const list = {
        Bucket: this.#bucket,
        Prefix: `${checkObjectKey(prefix)}/`,
        ...(ContinuationToken !== undefined && { ContinuationToken }),
      };
      const page = await this.#client.send(new ListObjectsV2Command(list));
      yield (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  async #deleteKeys(keys: string[]): Promise<void> {
    if (keys.length === 0) return;
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
    const { Errors = [] } = await this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete }));
    const [first] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
    if (first !== undefined) throw new Error(`The store did not delete "${first.Key}": ${first.Code}`);
  }

  async #download(key: string): Promise<string> {
    const path = join(this.#cacheDir, key);
    // A part that breaks off is removed, so what lies at the path is whole.
    await writeWhole(path, async (temporary) =>
      pipeline((await this.#open(key)) as Readable, createWriteStream(temporary)),
    );
    return path;
  }

  async #open(key: string) {
    try {
      const { Body } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: checkObjectKey(key) }),
      );
      if (Body === undefined) throw new ObjectNotFoundError(key);
      return Body;
    } catch (error) {
      if (isNotFound(error)) throw new ObjectNotFoundError(key, { cause: error });
      throw error;
    }
  }
}

function createClient({ endpoint, region, accessKeyId, secretAccessKey }: S3Access): S3Client {
  return new S3Client({
    region: region ?? 'us-east-1',
    // Servers other than AWS rarely have a host name per bucket.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
    // Streams would otherwise carry their checksum as a trailer, which S3-compatible servers store as part of the object.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 60_000 },
  });
}

function isNotFound(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
}
