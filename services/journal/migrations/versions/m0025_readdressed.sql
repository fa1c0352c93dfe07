-- A payment that came back, and the account to which it goes out anew: a word about its last attempt.
alter table bank_decision
  add column payee_iban text check (payee_iban <> ''),
  drop constraint bank_decision_verdict_check,
  add check (verdict in ('paid', 'not paid', 'withdrawn', 'restored', 'funds', 'given back', 'kept', 'borne', 'undone', 'account')),
  add check ((verdict = 'account') = (payee_iban is not null));
create or replace view bank_decided as
select d.no, d.end_to_end_id, d.entry, d.verdict, d.known, d.party, d.reference, d.given_back, d.person, d.at, d.payee_iban from bank_decision d
where d.decides and d.report is null and d.verdict <> 'undone' and not exists (select from bank_decision u where u.undoes = d.no and u.decides);

-- What went to the bank more than once is few.
create index payment_attempt_again on payment_attempt (run) where attempt > 1;
-- Whether it is certain that an attempt's money is not with its payee, and will not be.
create function attempt_refused(name text, of_message text) returns boolean language sql stable as $$
  select exists (select from entry_payment m join statement_counts c on c.report = m.report where m.end_to_end_id = name and m.amount < 0)
    or (exists (select from bank_status s where s.fact in ('rejected', 'recalled') and s.end_to_end_id = name)
        and (payment_verdict(name) = 'not paid'
          or (payment_verdict(name) is null and not exists (select from entry_payment m where m.end_to_end_id = name))))
    or file_put_aside(of_message)
$$;

-- As before, word for word, but: two name the same account; and no attempt at a payment is alive when it is sent again.
do $$
declare
  change text[]; asked text;
begin
  foreach change slice 1 in array array[
    array['check_bank_decision()', 'and d.undoes is not distinct from new.undoes',
      'and d.undoes is not distinct from new.undoes and d.payee_iban is not distinct from new.payee_iban'],
    array['check_undoing()', 'd.given_back, d.undoes)', 'd.given_back, d.undoes, d.payee_iban)'],
    array['check_undoing()', 'new.given_back, new.undoes)', 'new.given_back, new.undoes, new.payee_iban)'],
    array['check_attempt()', 'select a.end_to_end_id into both_said from', 'select a.end_to_end_id into both_said from payment_attempt a
    where a.run = new.run and a.payment = new.payment and not attempt_refused(a.end_to_end_id, a.message_id)
      and not payment_contradicted(a.end_to_end_id, a.message_id) limit 1;
  if both_said is not null then
    raise exception ''payment %: attempt % may still be paid'', new.payment, both_said using errcode = ''restrict_violation'';
  end if;
  select a.end_to_end_id into both_said from']
  ] loop
    asked := pg_get_functiondef(change[1]::regprocedure);
    if position(change[2] in asked) = 0 then
      raise exception '% is not as it was: %', change[1], change[2];
    end if;
    execute replace(asked, change[2], change[3]);
  end loop;
end $$;

-- Runs before check_bank_decision: an account is signed for the payment as it is, whose last attempt it is about, while its window is instructed.
create function check_account() returns trigger language plpgsql as $$
declare
  about record; told jsonb := new.document::jsonb -> 'account';
begin
  perform pg_advisory_xact_lock(hashtext(tg_table_schema || ' signatures'));
  select p.id, p.payee, p.amount, p.currency, w.state, exists (
      select from payment_attempt later where later.run = a.run and later.payment = a.payment and later.attempt > a.attempt) sent_again into about
    from payment_attempt a join payment p on p.run = a.run and p.id = a.payment join run r on r.no = a.run join settlement_window w on w.day = r.day
    where a.end_to_end_id = new.end_to_end_id;
  if told ->> 'payee_iban' is distinct from new.payee_iban or told ->> 'payee' is distinct from about.payee
      or (told ->> 'amount_minor')::bigint is distinct from about.amount or told ->> 'currency' is distinct from about.currency then
    raise exception 'what was signed is about something else' using errcode = 'restrict_violation';
  end if;
  if about.sent_again or about.state <> 'instructed' then
    raise exception 'payment % is not open, or was sent again after %', about.id, new.end_to_end_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger check_account before insert on bank_decision for each row when (new.verdict = 'account') execute function check_account();
