using System.Collections;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Pipeline.Registry.Database;

namespace Pipeline.Tests.Growth;

/// <summary>
/// A connection that notes each statement and answers it with a row of anything, or with none, as dice fall: so that the code behind it goes one
/// way today and another at the next throw, and says all its statements in the end, without a database.
/// </summary>
internal sealed class AnyConnection(Dice dice, Action<string> met) : DbConnection
{
    // Code that reads page after page would never come to an end here.
    private const int MostStatements = 60;

    private int _statements;

    [AllowNull]
    public override string ConnectionString { get; set; } = "";

    public override string Database => "";

    public override string DataSource => "";

    public override string ServerVersion => "";

    public override ConnectionState State => ConnectionState.Open;

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    public override void Close()
    {
    }

    public override void Open()
    {
    }

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException();

    protected override DbCommand CreateDbCommand() => new AnyCommand(dice, Meet);

    private void Meet(string sql)
    {
        if (++_statements > MostStatements) throw new InvalidOperationException("enough");
        met(sql);
    }
}

/// <summary>A database of such connections.</summary>
internal sealed class AnyDatabase(Dialect dialect, Dice dice, Action<string> met) : IDatabase
{
    public Dialect Dialect => dialect;

    public long Commits => 0;

    public ValueTask<T> ReadAsync<T>(Func<Statements, ValueTask<T>> read, CancellationToken cancellationToken = default) => read(Open());

    public ValueTask<T> WriteAsync<T>(Func<Statements, ValueTask<T>> work, CancellationToken cancellationToken = default) => work(Open());

    public Statements Open() => new(new AnyConnection(dice, met), dialect, CancellationToken.None);
}

internal sealed class AnyCommand(Dice dice, Action<string> met) : DbCommand
{
    private readonly Microsoft.Data.Sqlite.SqliteCommand _parameters = new();

    [AllowNull]
    public override string CommandText { get; set; } = "";

    public override int CommandTimeout { get; set; }

    public override CommandType CommandType { get; set; }

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    protected override DbConnection? DbConnection { get; set; }

    protected override DbParameterCollection DbParameterCollection => _parameters.Parameters;

    protected override DbTransaction? DbTransaction { get; set; }

    public override void Cancel()
    {
    }

    public override int ExecuteNonQuery()
    {
        met(CommandText);
        return dice.Next(2);
    }

    public override object? ExecuteScalar() => throw new NotSupportedException();

    public override void Prepare()
    {
    }

    protected override DbParameter CreateDbParameter() => _parameters.CreateParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
    {
        met(CommandText);
        return new AnyReader(dice, dice.Next(4) == 0 ? 0 : 1);
    }

    protected override void Dispose(bool disposing)
    {
        _parameters.Dispose();
        base.Dispose(disposing);
    }
}

internal sealed class AnyReader(Dice dice, int rows) : DbDataReader
{
    private int _left = rows;

    public override int Depth => 0;

    public override int FieldCount => 64;

    public override bool HasRows => _left > 0;

    public override bool IsClosed => false;

    public override int RecordsAffected => -1;

    public override object this[int ordinal] => GetValue(ordinal);

    public override object this[string name] => throw new NotSupportedException();

    public override bool Read() => _left-- > 0;

    public override bool NextResult() => false;

    public override bool GetBoolean(int ordinal) => dice.Next(2) == 0;

    public override long GetInt64(int ordinal) => dice.Next(3);

    public override string GetString(int ordinal) => dice.Text();

    public override bool IsDBNull(int ordinal) => dice.Next(3) == 0;

    public override T GetFieldValue<T>(int ordinal) => (T)(object)Array.Empty<byte>();

    public override object GetValue(int ordinal) => GetString(ordinal);

    public override int GetInt32(int ordinal) => (int)GetInt64(ordinal);

    public override IEnumerator GetEnumerator() => throw new NotSupportedException();

    public override byte GetByte(int ordinal) => throw new NotSupportedException();

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) => throw new NotSupportedException();

    public override char GetChar(int ordinal) => throw new NotSupportedException();

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) => throw new NotSupportedException();

    public override string GetDataTypeName(int ordinal) => throw new NotSupportedException();

    public override DateTime GetDateTime(int ordinal) => throw new NotSupportedException();

    public override decimal GetDecimal(int ordinal) => throw new NotSupportedException();

    public override double GetDouble(int ordinal) => throw new NotSupportedException();

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type GetFieldType(int ordinal) => throw new NotSupportedException();

    public override float GetFloat(int ordinal) => throw new NotSupportedException();

    public override Guid GetGuid(int ordinal) => throw new NotSupportedException();

    public override short GetInt16(int ordinal) => throw new NotSupportedException();

    public override string GetName(int ordinal) => throw new NotSupportedException();

    public override int GetOrdinal(string name) => throw new NotSupportedException();

    public override int GetValues(object[] values) => throw new NotSupportedException();
}
