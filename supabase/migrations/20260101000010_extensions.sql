-- Extensions: what works while nobody waits. Queues (pgmq), a clock (pg_cron) and HTTP from SQL (pg_net).
--
-- Clients reach none of them: the API shows `public` alone, and what may be asked of them is asked by functions in
-- `private`. The schemas `cron` and `pgmq` are closed to clients; `net` hosted Supabase opens to every role, and owns it,
-- so that it cannot be closed here.
create extension if not exists pg_cron with schema pg_catalog;
create extension if not exists pg_net with schema extensions;
create extension if not exists pgmq;
