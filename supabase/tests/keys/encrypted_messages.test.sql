begin;
select plan(30);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_key('ana', key_id) from unnest(array['good', 'revoked', 'expired']) as key_id;
select tests.create_key('ben', 'ben''s');
update public.user_encryption_keys set is_active = false where key_id = 'revoked';
update public.user_encryption_keys set expires_at = now() where key_id = 'expired';
create function pg_temp.send(p_envelope text, p_key_id text default 'good') returns text language sql as $$
  select format(
    'select public.send_message(tests.room_id(''lounge''), p_encrypted_content => %L, p_encryption_key_id => %L)', p_envelope, p_key_id
  )
$$;
grant execute on function pg_temp.send(text, text) to authenticated;

select tests.sign_in('ana');
select set_eq(
  $$ select field.key, field.value #>> '{}'
     from jsonb_each(public.send_message(
       tests.room_id('lounge'), p_encrypted_content => tests.envelope('x'), p_encryption_key_id => 'good',
       p_client_id => '00000000-0000-4000-8000-000000000001'
     ) -> 'message') as field
     where field.key in ('is_encrypted', 'encryption_key_id', 'encrypted_content', 'content') $$,
  $$ values ('is_encrypted', 'true'), ('encryption_key_id', 'good'), ('encrypted_content', tests.envelope('x')), ('content', null) $$,
  'mobile.encrypted: an envelope is sent'
);
select tests.sign_in('ben');
select is((select encrypted_content from public.chat_messages), tests.envelope('x'), 'and arrives as it was');

select tests.sign_in('ana');
select tests.refuses(
  pg_temp.send(envelope), 'encrypted_content_invalid', 'no envelope: ' || left(envelope, 40)
)
from unnest(array[
  '', 'secret', '{', 'null', '[]', '{}', '"{}"',
  '{"keys": {}, "body": "x"}',
  '{"v": "1", "keys": {}, "body": "x"}',
  '{"v": 1, "body": "x"}',
  '{"v": 1, "keys": [], "body": "x"}',
  '{"v": 1, "keys": {}}',
  '{"v": 1, "keys": {}, "body": {}}',
  '{"v": 1, "keys": null, "body": "x"}',
  '{"v": 1, "keys": {}, "body": "\u0000"}',
  repeat('[', 131072)
]) as envelope;
select lives_ok(pg_temp.send(rpad(tests.envelope('x'), 131072)), 'it may have 128 KB');
select tests.refuses(pg_temp.send(rpad(tests.envelope('x'), 131073)), 'encrypted_content_invalid', 'not more');
select tests.refuses(
  $$ insert into public.chat_messages (room_id, encrypted_content, encryption_key_id) values (tests.room_id('lounge'), '{}', 'good') $$,
  'encrypted_content_invalid', 'by the table neither'
);

select tests.refuses(pg_temp.send(tests.envelope('x'), key_id), code, name)
from (
  values
    ('none', 'unknown_encryption_key', 'mobile.encrypted: no key that there is not'),
    ('ben''s', 'unknown_encryption_key', 'nor another''s'),
    ('revoked', 'unknown_encryption_key', 'nor a revoked one'),
    ('expired', 'unknown_encryption_key', 'nor an expired one'),
    (null, 'encryption_key_required', 'nor none at all')
) as refused (key_id, code, name);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'clear', p_encrypted_content => tests.envelope('x'), p_encryption_key_id => 'good') $$,
  'encrypted_with_clear_text', 'mobile.encrypted: clear text is refused beside it'
);

select public.revoke_encryption_key('good', 'phone');
select tests.refuses(pg_temp.send(tests.envelope('y')), 'unknown_encryption_key', 'revoked, it encrypts nothing new');
select is(
  public.send_message(
    tests.room_id('lounge'), p_encrypted_content => tests.envelope('x'), p_encryption_key_id => 'good',
    p_client_id => '00000000-0000-4000-8000-000000000001'
  ) #>> '{message,seq}',
  '1', 'but a retry is answered with what it sent before'
);
select tests.as_owner();
select is((select last_seq from public.chat_rooms), 2::bigint, 'nothing else was written');

select * from finish();
rollback;
