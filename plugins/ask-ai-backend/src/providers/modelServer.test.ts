import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestOpenAiServer } from '../testing/openAiServer';
import { OpenAiEmbeddingProvider } from './OpenAiEmbeddingProvider';
import { OpenAiLanguageModel } from './OpenAiLanguageModel';

/** An HTTP proxy as companies have them: it wants a password and opens a tunnel. */
class TestProxy {
  readonly targets: string[] = [];
  private readonly server: Server = createServer();

  static async start(password: string): Promise<TestProxy> {
    const proxy = new TestProxy();
    const expected = `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
    proxy.server.on('connect', (request, client) => {
      proxy.targets.push(request.url ?? '');
      if (request.headers['proxy-authorization'] !== expected) {
        client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
      client.on('close', () => upstream.destroy());
    });
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  url(password: string): string {
    return `http://ada:${password}@127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }
}

describe('a model server behind a proxy', () => {
  let server: TestOpenAiServer;
  let proxy: TestProxy;
  beforeEach(async () => {
    server = await TestOpenAiServer.start();
    proxy = await TestProxy.start('love-lace');
  });
  afterEach(async () => {
    await server.close();
    await proxy.close();
  });

  it('is reached through the proxy', async () => {
    const options = { baseUrl: server.url, proxyUrl: proxy.url('love-lace') };
    await OpenAiEmbeddingProvider.create({ ...options, model: 'text-embedding-3-small' }).check();
    expect(proxy.targets).toEqual([server.url.replace('http://', '')]);
    expect(server.requests).toHaveLength(1);
  });

  it('streams, and closes the request through the proxy when the loop is left', async () => {
    server.isReplyHeld = true;
    const model = OpenAiLanguageModel.create({
      baseUrl: server.url,
      proxyUrl: proxy.url('love-lace'),
    });
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    for await (const piece of model.chat({ model: 'gpt-4o-mini', messages })) {
      expect(piece).toBe('Hello');
      break;
    }
    await expect(server.requests[0]?.closed).resolves.toEqual({ early: true });
  });

  it('names a proxy that refuses, without its password', async () => {
    const provider = OpenAiEmbeddingProvider.create({
      baseUrl: server.url,
      proxyUrl: proxy.url('wrong-password'),
      model: 'text-embedding-3-small',
    });
    const error = await provider.check().catch(reason => reason);
    expect(error).toMatchObject({ name: 'ProviderError' });
    expect(error.message).toContain('407');
    expect(`${error.stack}${error.cause?.stack}`).not.toContain('wrong-password');
    expect(server.requests).toEqual([]);
  });
});
