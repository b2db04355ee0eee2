-- What a public key is: PEM around DER, read as far as it takes to tell one from anything else.

-- Functions
-- The first element of some DER, which must have this tag, and what comes behind it; nulls if there is none. A length has
-- one way to be written, the shortest.
create function private.read_der(p_der bytea, p_tag int, out content bytea, out rest bytea)
returns record
language plpgsql immutable set search_path = ''
as $$
declare
  -- Never too short to look into: what is not there makes the length wrong.
  head bytea := p_der || '\x00000000'::bytea;
  head_size int;
  size int;
begin
  if get_byte(head, 0) is distinct from p_tag then
    return;
  end if;

  size := get_byte(head, 1);
  head_size := 2;
  if size = 129 and get_byte(head, 2) >= 128 then
    size := get_byte(head, 2);
    head_size := 3;
  elsif size = 130 and get_byte(head, 2) > 0 then
    size := get_byte(head, 2) * 256 + get_byte(head, 3);
    head_size := 4;
  -- No key is larger.
  elsif size >= 128 then
    return;
  end if;

  if length(p_der) >= head_size + size then
    content := substring(p_der from head_size + 1 for size);
    rest := substring(p_der from head_size + size + 1);
  end if;
end;
$$;

-- An odd number, positive, and without a byte too many before it.
create function private.is_odd_der_integer(p_content bytea)
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  head bytea := p_content || '\x0000'::bytea;
begin
  return length(p_content) > 0
    and get_byte(head, 0) < 128
    and (get_byte(head, 0) > 0 or get_byte(head, 1) >= 128)
    and get_bit(p_content, (length(p_content) - 1) * 8) = 1;
end;
$$;

-- RFC 8017: a modulus of 2,048 to 16,384 bits, and an exponent from 3 that fits into 64.
create function private.is_rsa_key(p_key bytea)
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  pair record := private.read_der(p_key, 48);
  modulus record := private.read_der(pair.content, 2);
  exponent record := private.read_der(modulus.rest, 2);
begin
  return pair.rest = ''
    and exponent.rest = ''
    and private.is_odd_der_integer(modulus.content)
    -- 2,048 bits come behind a byte of zeros, which says that they are no negative number.
    and length(modulus.content) between 257 and 2049
    and private.is_odd_der_integer(exponent.content)
    and exponent.content <> '\x01'
    and length(ltrim(exponent.content, '\x00')) <= 8;
end;
$$;

-- SEC 1: an uncompressed point, and one of the curve.
create function private.is_p256_point(p_point bytea)
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  prime numeric := '0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff';
  b numeric := '0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b';
  x numeric;
  y numeric;
begin
  if length(p_point) <> 65 or get_byte(p_point, 0) <> 4 then
    return false;
  end if;
  x := '0x' || encode(substring(p_point from 2 for 32), 'hex');
  y := '0x' || encode(substring(p_point from 34), 'hex');
  return x < prime and y < prime and mod(x * x * x - 3 * x + b - y * y, prime) = 0;
end;
$$;

-- RFC 5280, SubjectPublicKeyInfo: an algorithm with its parameters, each of which has one way to be written, and the key.
create function private.is_public_key(p_der bytea)
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  info record := private.read_der(p_der, 48);
  algorithm record := private.read_der(info.content, 48);
  bits record := private.read_der(algorithm.rest, 3);
  key bytea := substring(bits.content from 2);
begin
  -- A key fills its bytes: the first one says that no bit of the last is left over.
  if (info.rest = '' and bits.rest = '' and substring(bits.content for 1) = '\x00') is not true then
    return false;
  end if;
  return coalesce(
    case algorithm.content
      -- rsaEncryption, NULL
      when '\x06092a864886f70d0101010500' then private.is_rsa_key(key)
      -- ecPublicKey, prime256v1
      when '\x06072a8648ce3d020106082a8648ce3d030107' then private.is_p256_point(key)
      -- Ed25519
      when '\x06032b6570' then length(key) = 32
      -- X25519
      when '\x06032b656e' then length(key) = 32
    end,
    false
  );
end;
$$;

-- What is in a public key's PEM, and null if that is not one public key and nothing else.
create function private.public_key_der(p_pem text)
returns bytea
language plpgsql immutable set search_path = ''
as $$
declare
  encoded text;
  der bytea;
begin
  -- The largest key takes 2,900.
  if octet_length(p_pem) > 4096 then
    return null;
  end if;
  encoded := regexp_replace(
    substring(
      p_pem
      from '^[ \t\r\n]*-----BEGIN PUBLIC KEY-----[ \t]*\r?\n([A-Za-z0-9+/=\r\n]+)\n-----END PUBLIC KEY-----[ \t\r\n]*$'
    ),
    '[\r\n]', '', 'g'
  );
  der := decode(encoded, 'base64');
  -- Postgres reads on behind the padding, and overlooks bits that are too many.
  if translate(encode(der, 'base64'), e'\n', '') = encoded and private.is_public_key(der) then
    return der;
  end if;
  return null;
exception
  when data_exception then
    return null;
end;
$$;

-- Comments
comment on function private.public_key_der(text) is 'RSA from 2,048 bits, P-256, Ed25519 and X25519.';
