import type { HumanDuration } from '@backstage/types';

export interface Config {
  /**
   * Answers from the software catalog and TechDocs.
   */
  askAi?: {
    /**
     * The language model that answers when a request names none, for example `llama3.2`. Without
     * it, answers are sentences quoted from the documents.
     */
    defaultModel?: string;

    /**
     * The language models that a request may name. Default: only `defaultModel`.
     */
    allowedModels?: string[];

    /**
     * The embedding model, for example `all-minilm`. Without it, the built-in lexical embedding is
     * used, which needs no model server and compares words, not meanings.
     */
    embeddingModel?: string;

    /**
     * URL of the Ollama server. Default `http://localhost:11434`.
     */
    ollamaBaseUrl?: string;

    embedding?: {
      /**
       * What embeds: `ollama`, `openai` for a server that speaks that protocol, `lexical` for the
       * built-in embedding, or the id of a module's. Default `ollama` when `embeddingModel` is set, else `lexical`.
       */
      provider?: string;

      /**
       * Numbers in an embedding, from 1 to 4000. Default: what the model gives.
       */
      dimensions?: number;

      /**
       * Texts in one call to the model server, from 1 to 2048. Default: what suits the provider.
       */
      batchSize?: number;

      /**
       * Calls to the model server that may be under way at once, from 1 to 64. Default: what suits
       * the provider.
       */
      maxParallelCalls?: number;

      /**
       * How long one call may take, in milliseconds. Default `120000`.
       */
      timeoutMs?: number;

      /**
       * Cosine similarity, from 0 to 1, from which a passage supports an answer although it uses other
       * words than the question. Below it, and without enough common words, the answer is "not found".
       * Models differ: some give unrelated texts 0.7. Not used by `lexical`. Default `0.5`.
       */
      minSimilarity?: number;

      /**
       * What happens when the index was embedded by another model than the configured one. `refuse`:
       * searches and index runs are refused, with the remedy. `reembed`: the next run embeds what is
       * stored anew, and the old model answers until then. Default `refuse`.
       */
      onModelChange?: 'refuse' | 'reembed';
    };

    llm?: {
      /**
       * What writes answers: `ollama`, `openai` for a server that speaks that protocol, `extractive`
       * for quoted sentences, or the id of a module's. Default `ollama` when `defaultModel` is set, else `extractive`.
       */
      provider?: string;

      /**
       * Tokens that prompt and answer may have together. Default `8192`.
       */
      contextTokens?: number;

      /**
       * How long the model may be silent before and between the pieces of an answer, in milliseconds. Default `120000`.
       */
      timeoutMs?: number;
    };

    /**
     * The server of provider `openai`.
     */
    openai?: {
      /**
       * URL of the server, with the version in its path. Default `https://api.openai.com/v1`.
       */
      baseUrl?: string;

      /**
       * The key of the API. Servers in your own network may need none.
       *
       * @visibility secret
       */
      apiKey?: string;

      /**
       * Further HTTP headers of every call.
       *
       * @deepVisibility secret
       */
      headers?: { [name: string]: string };

      /**
       * The `api-version` that Azure's servers ask for, for example `2024-10-21`.
       */
      apiVersion?: string;

      /**
       * URL of the HTTP proxy on the way to the server. Default: a direct connection.
       *
       * @visibility secret
       */
      proxy?: string;
    };

    /**
     * How many chunks a search returns that does not say, from 1 to 100. Default `5`.
     */
    defaultTopK?: number;

    /**
     * Size of a chunk in tokens, from 16 to 8192. Default `200`.
     */
    chunkSize?: number;

    /**
     * How much of a chunk the next one of the same section repeats, in tokens; less than
     * `chunkSize`. Default `30`.
     */
    chunkOverlap?: number;

    /**
     * How often the index is brought up to date: a cron expression, a duration such as
     * `30 minutes`, `PT30M` or `{ minutes: 30 }`; `manual` or `false`: only when it is asked for.
     * Default every 30 minutes.
     */
    schedule?: string | false | { cron: string } | { trigger: 'manual' } | HumanDuration;

    /**
     * What is indexed.
     */
    index?: {
      /**
       * Which entities: a catalog filter. All keys of an object must match, and any object of a
       * list. A value is a text, a list of texts or `{ $exists: true }`. Default: all.
       */
      filter?: object | object[];

      /**
       * Only these kinds of entities. Default: all but `excludeKinds`.
       */
      kinds?: string[];

      /**
       * Not these kinds of entities. Default Location and User, or none when `kinds` is given.
       */
      excludeKinds?: string[];

      sources?: {
        /**
         * The entities themselves. Default `true`.
         */
        catalog?: boolean;

        /**
         * Their documentation. Default `true`.
         */
        techdocs?: boolean;
      };

      /**
       * What is replaced by a marker before anything is embedded or stored.
       */
      redact?: {
        /**
         * Private keys, tokens and passwords in their usual forms. Default `true`.
         */
        builtIn?: boolean;

        /**
         * Further patterns. Default: none.
         */
        patterns?: {
          /**
           * What stands in place of a match: `[redacted: NAME]`.
           */
          name: string;

          /**
           * A regular expression of JavaScript, without slashes.
           */
          regex: string;
        }[];
      };

      /**
       * The part of the indexed documents that may vanish in one run, from 0 to 1. When more are
       * gone, the run fails and removes nothing. Default `0.5`.
       */
      maxVanishedRatio?: number;

      /**
       * How long the number of entities must stay the same after a start before the first run
       * begins, in seconds. Default `10`.
       */
      settleSeconds?: number;
    };

    permissions?: {
      /**
       * How long it may take to find out which hits a caller may read, in milliseconds, from 0 to
       * 60000. When it is over, the answer holds what is known to be readable, and says so. Default
       * `2000`.
       */
      budgetMs?: number;
    };

    /**
     * How often one user may call, on each backend process. Services are exempt.
     */
    rateLimit?: {
      /**
       * Searches in one second; 0 is without a limit. Default `20`.
       */
      searchesPerSecond?: number;

      /**
       * Questions in one second; 0 is without a limit. Default `5`.
       */
      questionsPerSecond?: number;
    };

    /**
     * What is remembered of questions, never who asked.
     */
    questions?: {
      /**
       * Whether the texts of questions and of comments on answers are kept, so that unanswered
       * questions can be read. Default `false`.
       */
      keepTexts?: boolean;

      /**
       * Questions are forgotten after so many days, from 1 to 3650. Default `90`.
       */
      retentionDays?: number;
    };

    audit?: {
      /**
       * Whether audit events hold the text of the question. Default `false`.
       */
      includeQuestions?: boolean;
    };

    cache?: {
      /**
       * Whether searches, and the embeddings of questions, are answered from what was found a short while ago: in the
       * process and, where `backend.cache.store` is no memory, in that cache. Default `false`.
       */
      enabled?: boolean;

      /**
       * How long the result of a search is kept, in seconds, from 1 to 86400: so long may replicas
       * that share no cache miss what another one wrote. Default `60`.
       */
      ttlSeconds?: number;

      /**
       * How long the embedding of a question is kept, in seconds, from 1 to 2592000. Default `3600`.
       */
      embeddingTtlSeconds?: number;

      /**
       * Results, and as many embeddings, that a process keeps at most. Default `1000`.
       */
      maxEntries?: number;

      /**
       * Memory that results, and again embeddings, take in a process at most, in bytes. Default
       * `67108864`.
       */
      maxBytes?: number;

      /**
       * How long a call of the shared cache may take, in milliseconds, from 1 to 10000; beyond it
       * the search goes on without. Default `100`.
       */
      timeoutMs?: number;
    };

    /**
     * Where the index lies.
     */
    /**
     * How often database, models and cache are asked whether they are well, in milliseconds, for
     * `/health` and the metrics. 0: only when somebody asks for `/health`. Default `10000`.
     */
    healthCheckIntervalMs?: number;

    /**
     * When the backend is shut down: how long requests and the index run may take to end, in
     * milliseconds. Default `10000`.
     */
    shutdownTimeoutMillis?: number;

    vectorStore?: {
      /**
       * `memory`: lost at the end; `embedded`: a folder, for one backend process; `postgresql`: a
       * server with pgvector. Default `postgresql` when a `postgresql` block describes a
       * server or Backstage's own `backend.database.client` is `pg`, else `embedded`.
       */
      type?: string;

      embedded?: {
        /**
         * The folder, relative to the working directory of the backend. Default `./.data/ask-ai`.
         */
        directory?: string;
      };

      /**
       * How failures of a PostgreSQL server are dealt with. Durations in milliseconds.
       */
      resilience?: {
        /**
         * Attempts of a call, the first one included. Default `4`.
         */
        maxAttempts?: number;

        /**
         * An attempt to read is given up after this time. Default `5000`.
         */
        attemptTimeoutMillis?: number;

        /**
         * A read ends by then, with an answer or an error. Default `10000`.
         */
        readDeadlineMillis?: number;

        /**
         * After this time no further attempt to write begins. Default `30000`.
         */
        writeDeadlineMillis?: number;

        /**
         * Outages in a row after which the server is left alone for a while. Default `5`.
         */
        breakerFailures?: number;

        /**
         * How long it is left alone. Default `1000`.
         */
        breakerOpenMillis?: number;
      };

      /**
       * The PostgreSQL server. Without it, or with nothing but `index` and `textSearchConfig`:
       * Backstage's own database.
       */
      postgresql?: {
        /**
         * Host name, address or the folder of a socket. Needed unless `connectionString` is given,
         * as are `database`, `user` and, unless another key says how to log in, `password`.
         */
        host?: string;

        /**
         * Default `5432`.
         */
        port?: number;

        database?: string;

        user?: string;

        /**
         * An empty text means that the server asks for none.
         *
         * @visibility secret
         */
        password?: string;

        /**
         * A file that holds the password. It is read for every new connection, so that the password
         * can be changed while the backend runs.
         */
        passwordFile?: string;

        /**
         * How the role proves who it is. `aws-iam`, `azure` and `gcp` get a token for every new
         * connection, by `@aws-sdk/rds-signer`, `@azure/identity` or `google-auth-library`, which
         * you install, and want `ssl`. Default `password`.
         */
        auth?: 'password' | 'aws-iam' | 'azure' | 'gcp';

        /**
         * Who owns the tables: migrates, loads and rebuilds. Left out: `user` does.
         */
        admin?: {
          /**
           * The name of its role.
           */
          user: string;

          /**
           * An empty text means that the server asks for none.
           *
           * @visibility secret
           */
          password?: string;

          /**
           * As `passwordFile` of the block.
           */
          passwordFile?: string;

          /**
           * As `auth` of the block, which is the default where there is no password.
           */
          auth?: 'password' | 'aws-iam' | 'azure' | 'gcp';

          /**
           * Its connections at most, besides one for a load or a build under way. Default: 2.
           */
          maxConnections?: number;
        };

        /**
         * Who searches. Left out: `user` does.
         */
        reader?: {
          /**
           * The name of its role.
           */
          user: string;

          /**
           * An empty text means that the server asks for none.
           *
           * @visibility secret
           */
          password?: string;

          /**
           * As `passwordFile` of the block.
           */
          passwordFile?: string;

          /**
           * As `auth` of the block, which is the default where there is no password.
           */
          auth?: 'password' | 'aws-iam' | 'azure' | 'gcp';

          /**
           * Its connections at most. Default: as many as `user` may have.
           */
          maxConnections?: number;
        };

        /**
         * Instead of host, port, database, user and password. `sslmode` may be `disable`,
         * `no-verify`, `verify-ca` or `verify-full`; `prefer` and `require` mean `verify-full`.
         *
         * @visibility secret
         */
        connectionString?: string;

        /**
         * The schema of the tables. Default: the first of the role's search path.
         */
        schema?: string;

        /**
         * `true` verifies the server's certificate against the system's authorities. Default: no
         * encryption.
         */
        ssl?:
          | boolean
          | {
              /**
               * Certificates of the authority, as PEM text. Default: the system's.
               */
              ca?: string;

              /**
               * Certificate of the client, as PEM text.
               */
              cert?: string;

              /**
               * Private key of the client, as PEM text.
               *
               * @visibility secret
               */
              key?: string;

              /**
               * `false` takes any certificate and protects against nobody in between. Default: verify.
               */
              rejectUnauthorized?: boolean;

              /**
               * The host name in the server's certificate. Default: `host`.
               */
              servername?: string;
            };

        /**
         * Connections of one backend process at most. Default `10`.
         */
        maxConnections?: number;

        /**
         * Connections that stay open when unused, at most `maxConnections`. Default `0`.
         */
        minConnections?: number;

        /**
         * A connection is replaced after this time, in seconds, as soon as it is unused; 0: never.
         * Default `3600`.
         */
        maxLifetimeSeconds?: number;

        /**
         * Whether unused connections are kept alive through firewalls. Default `true`.
         */
        keepAlive?: boolean;

        /**
         * What `pg_stat_activity` shows. Default `ask-ai`.
         */
        applicationName?: string;

        /**
         * An unused connection is closed after this time, in milliseconds; 0: never. Default
         * `30000`.
         */
        idleTimeoutMillis?: number;

        /**
         * How long to wait for a connection, in milliseconds. Default `5000`.
         */
        connectionTimeoutMillis?: number;

        /**
         * The server ends a statement after this time, in milliseconds. Default `10000`.
         */
        statementTimeoutMillis?: number;

        /**
         * The plugin gives up on a statement after this time, in milliseconds; more than
         * `statementTimeoutMillis`. Default: 2000 more.
         */
        queryTimeoutMillis?: number;

        /**
         * The server ends a statement that waits so long for a lock, in milliseconds. Default: the
         * server's setting.
         */
        lockTimeoutMillis?: number;

        /**
         * The server ends a session whose transaction does nothing for so long, in milliseconds.
         * Default: the server's setting.
         */
        idleInTransactionTimeoutMillis?: number;

        /**
         * The language that words are searched in: the name of a text search configuration of
         * PostgreSQL, such as `german`, or `simple` for texts of several languages. A change builds
         * the table anew beside the old one, which serves meanwhile. Also for `embedded`. Default:
         * what the store has, `english` in a new one.
         */
        textSearchConfig?: string;

        /**
         * A search that takes longer, in milliseconds, is logged with PostgreSQL's plan for it, once
         * a minute at most and without what was searched for. Also for `embedded`. 0: never.
         * Default `1000`.
         */
        slowQueryMillis?: number;

        /**
         * How the vector index (HNSW) is built and searched. Alone in the block, it means the index
         * in Backstage's own database.
         */
        index?: {
          /**
           * Neighbours that a vector is linked to, from 2 to 100. More find more in a large index,
           * which grows and takes longer to build. A change rebuilds the index. Default: what the
           * index has, 16 in a new one.
           */
          m?: number;

          /**
           * Candidates that are compared when a vector is linked, from 4 to 1000 and at least twice
           * `m`. More find more, and take longer to build. A change rebuilds the index. Default:
           * what the index has, 64 in a new one.
           */
          efConstruction?: number;

          /**
           * Candidates that a search keeps, from 1 to 1000. More find more and take longer. Default:
           * measured, the smallest value of at least 150 that reaches `recallTarget`, the same for
           * every replica.
           */
          efSearch?: number;

          /**
           * What the index holds of a number: `full`, 4 bytes, or `half`, 2 bytes; with `half`, what
           * was found is ranked again by the full vectors. A change rebuilds the index. Default:
           * what the index has, `full` in a new one.
           */
          precision?: 'full' | 'half';

          /**
           * The part of the 10 nearest vectors that a search shall find, from 0.5 to 0.999. Default
           * `0.95`.
           */
          recallTarget?: number;
        };
      };
    };
  };
}
