begin;
select plan(3);

select tests.refuses($$ select private.refuse('not_a_member') $$, 'not_a_member', 'a refusal has the SQLSTATE and code of the list');
select throws_ok($$ select private.refuse('no_such_code') $$, 'P0002', null, 'what is not in the list is a fault of ours');

select tests.create_user('eve');
grant select on private.error_codes to authenticated;
select tests.sign_in('eve');
select is_empty($$ select code from private.error_codes $$, 'nobody reads the list past the functions, whatever is granted');

select * from finish();
rollback;
