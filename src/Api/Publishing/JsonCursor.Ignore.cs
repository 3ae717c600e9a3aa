namespace Pipeline.Api.Publishing;

internal ref partial struct JsonCursor
{
    /// <summary>
    /// Takes a value of any type. What encloses it is kept on a heap stack of a byte a level, so depth costs no more than the JSON itself,
    /// whose size is bounded.
    /// </summary>
    public bool IgnoreValue()
    {
        Stack<byte>? open = null;
        while (true)
        {
            var next = SkipBlanks();
            var opened = next is '[' or '{';
            if (opened)
            {
                Take();
                (open ??= new Stack<byte>()).Push((byte)next);
            }
            else if (!IgnoreScalar(next))
            {
                return false;
            }

            if (open is null || !CloseOrContinue(open, afterValue: !opened))
                return !HasFailed;
        }
    }

    /// <summary>
    /// After a value or an opening bracket: takes what closes, up to and with the comma and key before the next value. False when there
    /// is no next value, because the outermost one is complete or something is wrong.
    /// </summary>
    private bool CloseOrContinue(Stack<byte> open, bool afterValue)
    {
        while (open.TryPeek(out var frame))
        {
            var next = SkipBlanks();
            if (next == (frame == '[' ? ']' : '}'))
            {
                Take();
                open.Pop();
                afterValue = true;
                continue;
            }

            if (next == End)
                return FailNext(frame == '[' ? JsonTexts.EofList : JsonTexts.EofObject);
            if (afterValue && next != ',')
                return FailNext(frame == '[' ? JsonTexts.ListCommaOrEnd : JsonTexts.ObjectCommaOrEnd);
            if (afterValue)
                Take();
            return frame == '[' || IgnoreKey();
        }

        return false;
    }

    private bool IgnoreKey()
    {
        switch (SkipBlanks())
        {
            case '"':
                Take();
                return IgnoreString() && Colon();
            case End:
                return FailNext(JsonTexts.EofObject);
            default:
                return FailNext(JsonTexts.KeyMustBeAString);
        }
    }

    private bool IgnoreScalar(int first)
    {
        switch (first)
        {
            case End:
                return FailNext(JsonTexts.EofValue);
            case 'n':
                Take();
                return Literal("ull"u8);
            case 't':
                Take();
                return Literal("rue"u8);
            case 'f':
                Take();
                return Literal("alse"u8);
            case '"':
                Take();
                return IgnoreString();
            case '-':
                Take();
                return IgnoreNumber();
            case >= '0' and <= '9':
                return IgnoreNumber();
            default:
                return FailNext(JsonTexts.ExpectedValue);
        }
    }

    private bool IgnoreNumber()
    {
        switch (Next())
        {
            case '0':
                if (IsDigit(Peek()))
                    return FailNext(JsonTexts.InvalidNumber);
                break;
            case >= '1' and <= '9':
                TakeDigits();
                break;
            default:
                return Fail(JsonTexts.InvalidNumber);
        }

        if (Peek() == '.')
        {
            Take();
            if (TakeDigits() == 0)
                return FailNext(JsonTexts.InvalidNumber);
        }

        return Peek() is not ('e' or 'E') || IgnoreExponent();
    }

    private bool IgnoreExponent()
    {
        Take();
        if (Peek() is '+' or '-')
            Take();
        if (!IsDigit(Next()))
            return Fail(JsonTexts.InvalidNumber);
        TakeDigits();
        return true;
    }

    private int TakeDigits()
    {
        var start = Index;
        while (IsDigit(Peek()))
            Take();
        return Index - start;
    }

    private static bool IsDigit(int value) => value is >= '0' and <= '9';
}
